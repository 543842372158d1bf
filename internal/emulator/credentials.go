package emulator

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// maxSkillID is the one limit of a skill's ID that Amazon documents.
const maxSkillID = 255

// admit lets a SMAPI call in that bears a good token and keeps the pace, or
// returns the refusal.
func (a *Amazon) admit(c *call, now time.Time) (answer, bool) {
	in, skills := a.tokens.accepts(c.bearer, now)
	switch {
	case !in:
		return a.failure(http.StatusUnauthorized, "", ""), false
	case !skills:
		return a.failure(http.StatusForbidden, "", ""), false
	}
	wait, ok := a.limit.admit(now)
	if ok {
		return answer{}, true
	}
	ans := a.failure(http.StatusTooManyRequests, "", "")
	if a.limit.retryAfter {
		ans.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds())))) // whole seconds: RFC 9110 §10.2.3
	}
	return ans, false
}

// credentials answers with the pair of a skill.
func (a *Amazon) credentials(c *call) answer {
	s, ok := a.skills.byID[c.skill]
	switch {
	case !ok:
		return a.noSkill(c)
	case !s.issued:
		return a.failure(http.StatusNotFound, "", fmt.Sprintf("Skill messaging credentials not found for skill: %s.", c.skill))
	}
	return pairAnswer(map[string]string{"clientId": s.clientID, "clientSecret": s.clientSecret})
}

// pairAnswer holds the members of a pair that it is given, all or some.
func pairAnswer(pair map[string]string) answer {
	return jsonAnswer(http.StatusOK, map[string]any{"skillMessagingCredentials": pair})
}

// status tells that a skill is there, issued or not.
func (a *Amazon) status(c *call) answer {
	if _, ok := a.skills.byID[c.skill]; !ok {
		return a.noSkill(c)
	}
	done := map[string]any{"lastUpdateRequest": map[string]string{"status": "SUCCEEDED", "version": "1"}}
	body := map[string]any{"manifest": done}
	if len(c.query["resource"]) == 0 {
		body["interactionModel"] = map[string]any{"en-US": done}
	}
	return jsonAnswer(http.StatusOK, body)
}

func (a *Amazon) noSkill(c *call) answer {
	return a.failure(http.StatusNotFound, "", fmt.Sprintf("Skill not found with id: %s.", c.skill))
}
