package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func (v *vault) erase(skill string) {
	v.Helper()
	v.must("DELETE", "secret/metadata/"+secretName(skill), nil, nil)
}

func (a *aws) erase(skill string) {
	a.Helper()
	a.ask("DeleteSecret", settings{"SecretId": secretName(skill), "ForceDeleteWithoutRecovery": true}).may(a.T, nil)
}

func (f folder) path(name string) string { return filepath.Join(f.dir, "secrets", name) }

func (f folder) markOf(skill string) string { return f.path("." + skill + ".json.credsync") }

// versions is the number that the file's mark gives to what stands there.
func (f folder) versions(skill string) int {
	f.Helper()
	b, err := os.ReadFile(f.markOf(skill))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	var mark struct{ Current, Next struct{ Version int } }
	if err == nil {
		err = json.Unmarshal(b, &mark)
	}
	if err != nil {
		f.Fatal(err)
	}
	return max(mark.Current.Version, mark.Next.Version)
}

func (f folder) alter(skill string) {
	f.Helper()
	if err := os.WriteFile(f.path(skill+".json"), []byte(encode(f.T, byHand)), 0o600); err != nil {
		f.Fatal(err)
	}
}

func (f folder) remove(skill string) {
	f.Helper()
	if err := os.Remove(f.path(skill + ".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Fatal(err)
	}
}

func (f folder) erase(skill string) {
	f.Helper()
	f.remove(skill)
	if err := os.Remove(f.markOf(skill)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Fatal(err)
	}
}

// A historian is a keeper that remembers what it held.
type historian interface {
	history(skill string) []pair
}

// remembersAll has Vault keep more than the last ten versions.
func (d *doomed) remembersAll() {
	d.Helper()
	for _, s := range d.stores {
		if v, ok := s.(*vault); ok {
			v.must("POST", "secret/config", map[string]int{"max_versions": 1000}, nil)
		}
	}
}

func (v *vault) history(skill string) (pairs []pair) {
	v.Helper()
	for n := range v.versions(skill) {
		var answer struct{ Data struct{ Data pair } }
		v.must("GET", fmt.Sprintf("secret/data/%s?version=%d", secretName(skill), n+1), nil, &answer)
		pairs = append(pairs, answer.Data.Data)
	}
	return pairs
}

func (a *aws) history(skill string) (pairs []pair) {
	a.Helper()
	var list struct{ Versions []struct{ VersionId string } }
	a.ask("ListSecretVersionIds", settings{"SecretId": secretName(skill), "IncludeDeprecated": true}).must(a.T, &list)
	for _, v := range list.Versions {
		var answer struct{ SecretString string }
		a.ask("GetSecretValue", settings{"SecretId": secretName(skill), "VersionId": v.VersionId}).must(a.T, &answer)
		pairs = append(pairs, pairIn(answer.SecretString))
	}
	return pairs
}
