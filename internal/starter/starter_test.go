package starter_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/starter"
)

// Whatever is answered, the configuration is one, and holds it to the letter.
func TestConfigsAreConfigurations(t *testing.T) {
	for name, a := range map[string]starter.Answers{
		"least":    {ClientID: "a"},
		"files":    {ClientID: "amzn1.application-oa2-client.0123", Sink: starter.File, Dir: "/run/my secrets", Name: "{label}.json"},
		"vault":    {ClientID: "a", Sink: starter.Vault, Address: "https://vault.example.com:8200", Mount: "kv: one", Name: "x/{skill_uuid}"},
		"aws":      {ClientID: "a", Sink: starter.AWS, Region: "eu-west-1"},
		"vendor":   {ClientID: "a", Vendor: "M123"},
		"emulator": {ClientID: "a", Emulator: "http://127.0.0.1:4711"},
		"words":    {ClientID: "no", Dir: "null", Source: "eu"},
		"hostile":  {ClientID: "a\"}#\\", Dir: "x # y: {z}\u00e9'\""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, starter.ConfigFile)
			if err := os.WriteFile(path, []byte(a.Config()), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Peek(path)
			if err != nil {
				t.Fatalf("%v\n%s", err, a.Config())
			}
			if len(cfg.Advice) > 0 {
				t.Errorf("advice: %v", cfg.Advice)
			}
			want := a.WithDefaults()
			if got := cfg.Sources[want.Source].SMAPI.ClientID; got != a.ClientID {
				t.Errorf("client ID %q", got)
			}
			sink := cfg.Sinks[string(want.Sink)]
			switch want.Sink {
			case starter.Vault:
				if sink.VaultKV.Mount != want.Mount || sink.VaultKV.Address != want.Address || sink.VaultKV.Path != want.Name {
					t.Errorf("%+v", sink.VaultKV)
				}
			case starter.AWS:
				if sink.AWS.Region != want.Region || sink.AWS.Name != want.Name {
					t.Errorf("%+v", sink.AWS)
				}
			default:
				if got := sink.File.Dir; got != want.Dir && got != filepath.Join(dir, want.Dir) || sink.File.Name != want.Name {
					t.Errorf("%+v", sink.File)
				}
			}
			if !strings.HasPrefix(a.Config(), "# yaml-language-server: $schema=https://") {
				t.Error("editors find no schema")
			}
		})
	}
}

func TestASkillListHoldsAnExampleUntilItIsFilled(t *testing.T) {
	if got := starter.SkillList(nil, "credsync skills"); !strings.Contains(got, "#   credsync skills\namzn1.ask.skill.00000000") {
		t.Errorf("%s", got)
	}
	if got := starter.SkillList([]string{"amzn1.ask.skill.x kitchen"}, ""); !strings.HasSuffix(got, "run.\namzn1.ask.skill.x kitchen\n") {
		t.Errorf("%s", got)
	}
}
