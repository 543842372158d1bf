// Asks an emulator what credsync asks it, with Amazon's own client, and prints
// what it got as one JSON object:
//
//   {"vendors": ["M…"], "pages": 3, "listed": [{"skillId": "…", "stage": "live"}, …],
//    "credentials": {"<skill>": {"clientId": "…", "clientSecret": "…"}, …},
//    "errors": {"<skill>": {"status": 404, "body": {…}}, …}}
//
// Usage: node fetch.mjs [SKILL…]; without a skill it fetches all that are listed.
// Settings come in the environment, because others can read arguments:
// BASE_URL, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, VENDOR_ID, PAGE_SIZE (20).
// It exits 1 when it could not list; a skill that fails is told in "errors".
import sdk from "ask-smapi-sdk";

function setting(name, otherwise) {
  const value = process.env[name] || otherwise;
  if (value === undefined) {
    console.error(`fetch.mjs: set ${name}`);
    process.exit(2);
  }
  return value;
}

const base = setting("BASE_URL");
const vendor = setting("VENDOR_ID");
const pageSize = Number(setting("PAGE_SIZE", "20"));

const smapi = new sdk.CustomSmapiClientBuilder()
  .withApiEndpoint(base)
  .withAuthEndpoint(base)
  .withRefreshTokenConfig({
    clientId: setting("CLIENT_ID"),
    clientSecret: setting("CLIENT_SECRET"),
    refreshToken: setting("REFRESH_TOKEN"),
  })
  .client();

const out = { vendors: [], pages: 0, listed: [], credentials: {}, errors: {} };

// What the client throws holds the whole answer, headers and all; say little.
process.on("uncaughtException", (e) => {
  console.error(`fetch.mjs: ${e.name}: ${e.statusCode ?? e.message}`);
  process.exit(1);
});

out.vendors = (await smapi.getVendorListV1()).vendors.map((v) => v.id);

for (let page, token; !page || page.isTruncated; token = page.nextToken) {
  page = await smapi.listSkillsForVendorV1(vendor, token, pageSize);
  out.pages++;
  out.listed.push(...page.skills.map(({ skillId, stage }) => ({ skillId, stage })));
}

const named = process.argv.slice(2);
for (const skill of named.length ? named : new Set(out.listed.map((s) => s.skillId))) {
  try {
    out.credentials[skill] = (await smapi.getSkillCredentialsV1(skill)).skillMessagingCredentials;
  } catch (e) {
    if (e.name !== "ServiceError") throw e;
    out.errors[skill] = { status: e.statusCode, body: e.response };
  }
}

console.log(JSON.stringify(out));
