// store writes a pair to Vault: VAULT_URL, VAULT_TOKEN, PREFIX (of the names there).
export async function store(skill, { clientId, clientSecret }) {
  const { VAULT_URL, VAULT_TOKEN, PREFIX } = process.env;
  const answer = await fetch(`${VAULT_URL}/v1/secret/data/${PREFIX}${skill}`, {
    method: "POST",
    headers: { "X-Vault-Token": VAULT_TOKEN, "Content-Type": "application/json" },
    body: JSON.stringify({ data: { client_id: clientId, client_secret: clientSecret } }),
  });
  if (!answer.ok) throw new Error(`Vault: ${answer.status}`);
}
