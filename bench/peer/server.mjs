// The peer: panva's oidc-provider, set up for the same works as ours. Everything it needs comes as JSON on stdin:
// port, redis (socket path, password, database), clients, resource (audience of back-end tokens).
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';

import { Provider } from 'oidc-provider';

import { redisAdapter } from './adapter.mjs';

const settings = JSON.parse(await text(process.stdin));
const issuer = `http://127.0.0.1:${settings.port}`;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const provider = new Provider(issuer, {
  adapter: redisAdapter(settings.redis),
  clients: settings.clients,
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  scopes: ['openid', 'profile', 'offline_access', 'lookup'],
  claims: { openid: ['sub'], profile: ['name', 'birthdate', 'gender'] },
  pkce: { required: () => true },
  // As ours: only who cannot authenticate gets a new refresh token each time.
  rotateRefreshToken: (ctx) => ctx.oidc.client.clientAuthMethod === 'none',
  issueRefreshToken: async (ctx, client, source) =>
    client.grantTypeAllowed('refresh_token') && source.scopes.has('offline_access'),
  findAccount: async (ctx, sub) => ({
    accountId: sub,
    claims: async () => ({ sub, name: 'Nguyễn Văn Thử', birthdate: '1980-01-01', gender: 'male' }),
  }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 14 * 24 * 3600,
    IdToken: 600,
    Interaction: 1800,
    RefreshToken: 14 * 24 * 3600,
    Session: 12 * 3600,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // Back-end tokens are ES256 JWTs, as ours; those for userinfo are opaque, as the peer wants it.
      getResourceServerInfo: () => ({
        audience: settings.resource,
        scope: 'lookup',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

const answer = provider.callback();

// Signs in and agrees at once: the page, the password and the clicks are left out.
async function interact(req, res) {
  const { params, grantId } = await provider.interactionDetails(req, res);
  const accountId = `account-${randomBytes(8).toString('hex')}`;
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
}

const server = createServer((req, res) => {
  if (!req.url.startsWith('/interaction/')) {
    answer(req, res);
    return;
  }
  interact(req, res).catch((error) => {
    res.statusCode = 500;
    res.end(String(error));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(settings.port, '127.0.0.1', () => process.stdout.write('ready\n'));
