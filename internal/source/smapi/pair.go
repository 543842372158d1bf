package smapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// Fetch returns the pair of id; see [source.Source]. There is one pair per skill
// and none per stage (SMAPI: Skill Credentials API).
func (s *Source) Fetch(ctx context.Context, id credential.SkillID) (credential.Credential, error) {
	if _, err := credential.ParseSkillID(string(id)); err != nil {
		return credential.Credential{}, fmt.Errorf("%w: %w", source.ErrInvalid, err)
	}
	body, err := s.get(ctx, "/v1/skills/"+url.PathEscape(string(id))+"/credentials")
	if err != nil {
		return credential.Credential{}, about("credentials of "+string(id), err)
	}
	c, err := decodePair(body, id)
	if err != nil {
		return credential.Credential{}, fmt.Errorf("credentials of %s: %w answer: %w", id, source.ErrInvalid, err)
	}
	return c, nil
}

// The lengths of a plausible client ID and client secret. Amazon documents
// none; the IDs seen have 50 to 60 characters, the secrets 64 to 80, and the
// documentation's own example 11 and 15.
const (
	minHalf       = 8
	maxClientHalf = 256
	maxSecretHalf = 2048
)

// decodePair decodes the answer for skill id: exactly one JSON object that
// holds skillMessagingCredentials with the strings clientId and clientSecret,
// each once, spelled so. Other members are ignored, as the API's schema allows
// them. Its errors repeat nothing of body.
func decodePair(body []byte, id credential.SkillID) (credential.Credential, error) {
	if !utf8.Valid(body) {
		return credential.Credential{}, errors.New("not UTF-8")
	}
	outer, err := members(body, "skillMessagingCredentials", "skillId")
	if err != nil {
		return credential.Credential{}, err
	}
	if echo, ok := outer["skillId"]; ok {
		if of, err := text(echo); err != nil || of != string(id) {
			return credential.Credential{}, errors.New("it is about another skill")
		}
	}
	pair, err := members(outer["skillMessagingCredentials"], "clientId", "clientSecret")
	if err != nil {
		return credential.Credential{}, fmt.Errorf("skillMessagingCredentials: %w", err)
	}
	clientID, err := half(pair["clientId"], maxClientHalf)
	if err != nil {
		return credential.Credential{}, fmt.Errorf("clientId: %w", err)
	}
	secret, err := half(pair["clientSecret"], maxSecretHalf)
	if err != nil {
		return credential.Credential{}, fmt.Errorf("clientSecret: %w", err)
	}
	c := credential.Credential{Skill: id, ClientID: clientID.Reveal(), ClientSecret: secret}
	switch {
	case clientID.Equal(secret):
		return credential.Credential{}, errors.New("clientId and clientSecret are the same")
	case strings.HasPrefix(c.ClientID, "amzn1.oa2-cs."), strings.HasPrefix(secret.Reveal(), "amzn1.application-oa2-client."):
		return credential.Credential{}, errors.New("clientId and clientSecret changed places")
	}
	return c, nil
}

// members returns the members of the one JSON object that raw is, of the given
// names alone. Unlike [json.Unmarshal] it tells upper from lower case, and
// refuses a name that comes twice.
func members(raw []byte, names ...string) (map[string]json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, errors.New("missing or empty")
	}
	if !json.Valid(raw) {
		return nil, errors.New("not JSON, or more than one value")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	found := make(map[string]json.RawMessage, len(names))
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, errors.New("not JSON")
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, errors.New("not JSON")
		}
		name, _ := key.(string)
		if !slices.Contains(names, name) {
			continue
		}
		if _, twice := found[name]; twice {
			return nil, fmt.Errorf("%s comes twice", name)
		}
		found[name] = value
	}
	return found, nil
}

// text returns the JSON string that raw is.
func text(raw json.RawMessage) (string, error) {
	var s *string
	if len(raw) == 0 {
		return "", errors.New("missing")
	}
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", errors.New("not a string")
	}
	return *s, nil
}
