package awssm

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An agent stands in for what gives the containers of ECS and the pods of EKS
// the credentials of their role.
type agent struct {
	*testing.T
	token string // the file of the pod's token
	shown []string
}

func newAgent(t *testing.T) *agent {
	t.Helper()
	a := &agent{T: t, token: filepath.Join(t.TempDir(), "token")}
	a.renew("canary.pod.1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		a.shown = append(a.shown, q.Header.Get("Authorization"))
		if strings.HasSuffix(q.Header.Get("Authorization"), "refused") {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, `{"code":"AccessDeniedException","message":%q}`, q.Header.Get("Authorization"))
			return
		}
		_, _ = fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Token":%q,"Expiration":%q}`,
			roleKeyID, testKey, testSession, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL+"/v1/credentials")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", a.token)
	return a
}

// renew replaces the token, as the kubelet does.
func (a *agent) renew(token string) {
	a.Helper()
	if err := os.WriteFile(a.token, []byte(token), 0o600); err != nil {
		a.Fatal(err)
	}
}
