package emulator

import (
	"net/http"
	"strings"
)

const helpText = `This is credsync's emulator: a local Amazon, the Skill Management API and Login with Amazon.
Everything it issues is made up and opens nothing. Below, and for your shell:

  BASE=ADDRESS

It answers as Amazon does:

  GET  $BASE/ap/oa                              consent: credsync login opens it; the page posts allow or deny
  POST $BASE/auth/o2/token
  GET  $BASE/v1/skills/{id}/credentials
  GET  $BASE/v1/skills/{id}/status
  GET  $BASE/v1/skills?vendorId=V&maxResults=50
  GET  $BASE/v1/vendors

Look:
  curl $BASE/emulator/client                    client ID and secret, refresh token, vendor
  curl $BASE/emulator/returns                   its Allowed Return URLs
  curl $BASE/emulator/skills                    all skills
  curl $BASE/emulator/skills/ID                 one skill and its pair
  curl $BASE/emulator/requests                  what was asked so far; ?last=100 one by one
  curl -X DELETE $BASE/emulator/requests        start counting anew

Change:
  curl -X POST "$BASE/emulator/rotate?n=3"      new secrets for those rotated longest ago
  curl -X POST "$BASE/emulator/rotate?skill=ID" a new secret for this one; skill can repeat
  curl -X POST "$BASE/emulator/skills?n=5"      add skills
  curl -X PUT $BASE/emulator/skills/ID -d '{"client_id":"…","client_secret":"…","issued":true}'
                                                set any of these
  curl -X DELETE $BASE/emulator/skills/ID       remove a skill

Break:
  curl -X POST $BASE/emulator/tokens/expire     access tokens stop working: 401 until refreshed
  curl -X POST $BASE/emulator/tokens/revoke     refresh tokens too: invalid_grant. Prints a new one
  curl -X POST "$BASE/emulator/tokens?life=5m&refresh=new"
                                                refresh: same, new, replace (the old one dies), absent
  curl -X POST "$BASE/emulator/returns?url=http://127.0.0.1:8765/cb"
                                                the Allowed Return URLs of the profile; url can repeat
  curl -X POST "$BASE/emulator/rate?rate=20&burst=1&retry_after=1"
                                                429 beyond 20 requests a second; rate=0: no limit
  curl -X POST "$BASE/emulator/errors?form=wrapped"
                                                form of error bodies: bare or wrapped
  curl -X POST $BASE/emulator/faults -d '{"operation":"credentials","status":503,"count":3}'
  curl $BASE/emulator/faults                    the faults still to come
  curl -X DELETE $BASE/emulator/faults          clear them

A fault concerns an operation (credentials skills vendors status authorize token verify; none: any) and a skill (none: any), for the
next "count" requests (none: 1; -1: until cleared). It holds what is answered and how, either can be left out:
  "status": 200-599   "code": "…"   "retry_after": "2"   "location": "http://…"
  "body": bare wrapped empty html null empty_pair half_pair echo
  "delivery": hang reset cut slow   "delay": "250ms"
Examples:
  '{"operation":"credentials","retry_after":"2","count":10}'             ten 429 with Retry-After
  '{"operation":"credentials","skill":"ID","body":"half_pair"}'          a 200 without the secret
  '{"operation":"verify","skill":"ID","status":401,"count":-1}'          a pair that LWA refuses
  '{"operation":"token","status":400,"code":"unauthorized_client"}'
  '{"delivery":"reset","count":5}'                                       five connections reset
`

// help tells what can be done, with this server's own address in it.
func help(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = strings.NewReplacer("ADDRESS", "http://"+r.Host).WriteString(w, helpText)
}
