package e2e

// A point is a moment at which runs are killed.
type point struct {
	what   string // as a sentence says it
	moment string // as a killer names it
	only   bool   // its first occurrence
	later  bool   // any but its first

	command string // what is killed, if not sync
	after   string // the moment at which another run was killed right before
}

// atPeers are the points that the gates see. What is "served" is done, and its
// answer gets lost.
var atPeers = []point{
	{what: "the token is asked for", moment: "amazon: token", only: true},
	{what: "the token was given", moment: "amazon: token, served", only: true},
	{what: "a pair is asked for", moment: "amazon: credentials"},
	{what: "a pair was given", moment: "amazon: credentials, served"},
	{what: "a pair is to be proven", moment: "amazon: token", later: true},
	{what: "a pair was proven", moment: "amazon: token, served", later: true},
	{what: "Vault is looked at", moment: "vault: GET metadata"},
	{what: "Vault was looked at", moment: "vault: GET metadata, served"},
	{what: "a name is to be claimed in Vault", moment: "vault: POST metadata"},
	{what: "a name was claimed in Vault", moment: "vault: POST metadata, served"},
	{what: "a version is sent to Vault", moment: "vault: POST data"},
	{what: "a version was stored in Vault", moment: "vault: POST data, served"},
	{what: "a mark is sent to Vault", moment: "vault: PATCH metadata"},
	{what: "a mark was set in Vault", moment: "vault: PATCH metadata, served"},
	{what: "AWS is asked for a list", moment: "aws: ListSecrets"},
	{what: "AWS was looked at", moment: "aws: DescribeSecret, served"},
	{what: "a secret is to be made in AWS", moment: "aws: CreateSecret"},
	{what: "a secret was made in AWS", moment: "aws: CreateSecret, served"},
	{what: "a version is sent to AWS", moment: "aws: PutSecretValue"},
	{what: "a version was stored in AWS", moment: "aws: PutSecretValue, served"},
	{what: "a version is to be made current in AWS", moment: "aws: UpdateSecretVersionStage"},
	{what: "a version was made current in AWS", moment: "aws: UpdateSecretVersionStage, served"},
	{what: "a secret is to be restored in AWS", moment: "aws: RestoreSecret"},
	{what: "a secret was restored in AWS", moment: "aws: RestoreSecret, served"},
}

// atCalls are the points that a watch sees: the call is about to be made.
var atCalls = []point{
	{what: "the run is to be recorded", moment: "file: write audit, run.start"},
	{what: "an intent is to be written", moment: "file: write audit, write.intent"},
	{what: "an intent is not durable yet", moment: "file: fsync audit, write.intent"},
	{what: "an intent is durable, and nothing done", moment: "file: write data"},
	{what: "a file is not durable yet", moment: "file: fsync data"},
	{what: "the mark of a new value is to be written", moment: "file: write mark, pending"},
	{what: "the mark of a new value is to be set", moment: "file: rename mark, pending"},
	{what: "the mark of a new value is not durable yet", moment: "file: fsync dir, pending"},
	{what: "a file is to be put in its place", moment: "file: rename data"},
	{what: "a file is in its place", moment: "file: write mark, final"},
	{what: "a file is to be confirmed", moment: "file: rename mark, final"},
	{what: "a file was confirmed", moment: "file: fsync dir, final"},
	{what: "an outcome is to be written", moment: "file: write audit, write.outcome"},
	{what: "an outcome is not durable yet", moment: "file: fsync audit, write.outcome"},
	{what: "the end is to be recorded", moment: "file: write audit, run.finish"},
	{what: "the end is not durable yet", moment: "file: fsync audit, run.finish"},
	{what: "the audit head is to be written", moment: "file: write audit-head"},
	{what: "the audit head is to be put in its place", moment: "file: rename audit-head"},
	{what: "a new refresh token is to be written", moment: "file: write refresh-token-amazon"},
	{what: "a new refresh token is not durable yet", moment: "file: fsync refresh-token-amazon"},
	{what: "a new refresh token is to be put in its place", moment: "file: rename refresh-token-amazon"},
	{what: "what a killed run announced is to be concluded", moment: "file: write audit, reconciled", after: "file: fsync data"},
	{what: "what a killed run announced is not concluded durably", moment: "file: fsync audit, reconciled", after: "file: fsync data"},
	{what: "the daemon is to write its last slot", moment: "file: write last-slots", command: "run"},
	{what: "the daemon is to put its last slot in its place", moment: "file: rename last-slots", command: "run"},
}
