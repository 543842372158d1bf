// What a script with Amazon's command line comes to: a process for each skill on
// standard input, and a write to Vault. ASK is the program; settings are those of
// ../floor.
import { execFileSync } from "node:child_process";
import readline from "node:readline";

const env = process.env;
for await (const skill of readline.createInterface({ input: process.stdin })) {
  const out = execFileSync(process.execPath, [env.ASK, "smapi", "get-skill-credentials", "--skill-id", skill]);
  const { clientId, clientSecret } = JSON.parse(out).skillMessagingCredentials;
  const answer = await fetch(`${env.VAULT_URL}/v1/secret/data/${env.PREFIX}${skill}`, {
    method: "POST",
    headers: { "X-Vault-Token": env.VAULT_TOKEN, "Content-Type": "application/json" },
    body: JSON.stringify({ data: { client_id: clientId, client_secret: clientSecret } }),
  });
  if (!answer.ok) throw new Error(`Vault: ${answer.status}`);
}
