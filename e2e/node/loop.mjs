// What somebody without credsync writes: for each skill on standard input it asks
// Amazon for the pair, with Amazon's own client, and writes it to Vault. It
// decides nothing and tries nothing again. Settings are those of ../floor.
import readline from "node:readline";
import sdk from "ask-smapi-sdk";
import { store } from "./vault.mjs";

const env = process.env;
const smapi = new sdk.CustomSmapiClientBuilder()
  .withApiEndpoint(env.API_URL)
  .withAuthEndpoint(env.API_URL)
  .withRefreshTokenConfig({ clientId: env.CLIENT_ID, clientSecret: env.CLIENT_SECRET, refreshToken: env.REFRESH_TOKEN })
  .client();

for await (const skill of readline.createInterface({ input: process.stdin })) {
  await store(skill, (await smapi.getSkillCredentialsV1(skill)).skillMessagingCredentials);
}
