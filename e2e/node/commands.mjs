// What a script with Amazon's command line comes to: a process for each skill on
// standard input, and a write to Vault. ASK is the program; settings are those of
// ../floor.
import { execFileSync } from "node:child_process";
import readline from "node:readline";
import { store } from "./vault.mjs";

for await (const skill of readline.createInterface({ input: process.stdin })) {
  const out = execFileSync(process.execPath, [process.env.ASK, "smapi", "get-skill-credentials", "--skill-id", skill]);
  await store(skill, JSON.parse(out).skillMessagingCredentials);
}
