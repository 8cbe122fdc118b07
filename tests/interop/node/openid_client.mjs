// openid-client (which stands on oauth4webapi's conformance-grade calls) as portals use it, flow by flow.
import * as oidc from 'openid-client'
import { importJWK } from 'jose'

import { Citizen } from './citizen.mjs'
import { check, client, expect, persona, sandbox } from './report.mjs'

const LIBRARY = 'openid-client'
const LOOKUP_FIELDS = 'openid profile'
const issuer = new URL(sandbox.issuer)
const insecure = issuer.protocol === 'http:' ? { execute: [oidc.allowInsecureRequests] } : {}
const citizen = new Citizen(sandbox.issuer, persona('An'))

async function keyOf(registered) {
  const alg = registered.private_jwk.alg
  return { key: await importJWK(registered.private_jwk, alg), kid: registered.private_jwk.kid }
}

async function configured(registered, metadata = {}) {
  const wanted = { redirect_uris: registered.redirect_uris, ...metadata }
  return oidc.discovery(issuer, registered.client_id, wanted, await authentication(registered), insecure)
}

async function authentication(registered) {
  if (registered.auth_method === 'private_key_jwt') return oidc.PrivateKeyJwt(await keyOf(registered))
  if (registered.auth_method === 'client_secret_post') return oidc.ClientSecretPost(registered.client_secret)
  if (registered.auth_method === 'none') return oidc.None()
  return oidc.ClientSecretBasic(registered.client_secret)
}

async function request(registered, more = {}) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    idTokenExpected: true,
  }
  const params = {
    redirect_uri: registered.redirect_uris[0],
    scope: LOOKUP_FIELDS,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  }
  return { params, checks }
}

async function userinfo(config, tokens, options) {
  const claims = tokens.claims()
  expect(claims.acr.startsWith('urn:dinhdanh:loa:'), 'acr is missing')
  const told = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, options)
  expect(told.name === persona('An').name, 'userinfo does not tell the name')
  return told
}

let session // tokens of the last sign-in with the standard client, for what follows

await check(LIBRARY, 'code + PKCE, client_secret_basic, userinfo', async () => {
  const registered = client({ profile: 'standard', auth_method: 'client_secret_basic', grant: 'refresh_token' })
  const config = await configured(registered)
  const { params, checks } = await request(registered, { scope: 'openid profile offline_access', prompt: 'consent' })
  const back = await citizen.walk(oidc.buildAuthorizationUrl(config, params))
  const tokens = await oidc.authorizationCodeGrant(config, back, checks)
  await userinfo(config, tokens)
  session = { registered, config, tokens }
})

await check(LIBRARY, 'refresh, revocation', async () => {
  const { config, tokens } = session
  const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  expect(renewed.claims().sub === tokens.claims().sub, 'another subject after the refresh')
  await oidc.tokenRevocation(config, tokens.refresh_token)
  let refused
  try {
    await oidc.refreshTokenGrant(config, tokens.refresh_token)
  } catch (error) {
    refused = error.error
  }
  expect(refused === 'invalid_grant', `a revoked refresh token gave ${refused}`)
})

await check(LIBRARY, 'JAR by value', async () => {
  const registered = client({ profile: 'standard', auth_method: 'private_key_jwt', grant: 'authorization_code' })
  const config = await configured(registered)
  const { params, checks } = await request(registered)
  const url = await oidc.buildAuthorizationUrlWithJAR(config, params, await keyOf(registered))
  await userinfo(config, await oidc.authorizationCodeGrant(config, await citizen.walk(url), checks))
})

async function fapi(registered, { jar = false, jarm = false } = {}) {
  const config = await configured(registered)
  if (jarm) oidc.useJwtResponseMode(config)
  const options = { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256')) }
  const { params, checks } = await request(registered)
  const asked = jar
    ? (await oidc.buildAuthorizationUrlWithJAR(config, params, await keyOf(registered))).searchParams
    : params
  const url = await oidc.buildAuthorizationUrlWithPAR(config, asked, options)
  const tokens = await oidc.authorizationCodeGrant(config, await citizen.walk(url), checks, undefined, options)
  expect(tokens.token_type === 'dpop', `token_type is ${tokens.token_type}`)
  await userinfo(config, tokens, options)
}

await check(LIBRARY, 'FAPI 2.0: PAR, private_key_jwt, DPoP', async () => {
  await fapi(client({ profile: 'fapi2', auth_method: 'private_key_jwt', grant: 'authorization_code', dpop_bound: true }))
})

await check(LIBRARY, 'FAPI 2.0 Message Signing: JAR through PAR, JARM', async () => {
  const wanted = { profile: 'fapi2-message-signing', auth_method: 'private_key_jwt', dpop_bound: true }
  await fapi(client({ ...wanted, grant: 'authorization_code' }), { jar: true, jarm: true })
})

await check(LIBRARY, 'client_credentials, private_key_jwt, DPoP', async () => {
  const registered = client({ profile: 'fapi2', auth_method: 'private_key_jwt', grant: 'client_credentials' })
  const config = await configured(registered)
  const options = { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256')) }
  const tokens = await oidc.clientCredentialsGrant(config, { scope: 'lookup' }, options)
  expect(tokens.token_type === 'dpop', `token_type is ${tokens.token_type}`)
})

await check(LIBRARY, 'device authorization', async () => {
  const registered = client({ grant: 'urn:ietf:params:oauth:grant-type:device_code' })
  const config = await configured(registered)
  const started = await oidc.initiateDeviceAuthorization(config, { scope: LOOKUP_FIELDS })
  expect(started.user_code && started.verification_uri, 'no user_code')
  await citizen.open(started.verification_uri_complete ?? started.verification_uri)
  if (citizen.has('device-form')) await citizen.send('device-form', [['user_code', started.user_code]])
  if (citizen.has('device-confirm-form')) await citizen.send('device-confirm-form', [['same', 'yes'], ['decision', 'allow']])
  await citizen.agree()
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, started, undefined, { signal: AbortSignal.timeout(60000) })
  await userinfo(config, tokens)
})

async function ciba(registered) {
  const config = await configured(registered)
  const options = { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256')) }
  const params = { scope: LOOKUP_FIELDS, login_hint: persona('An').number, binding_message: 'QUAY-07' }
  const started = await oidc.initiateBackchannelAuthentication(config, params)
  await citizen.open('/me/requests')
  await citizen.agree()
  const waiting = citizen.page.text.match(/class="button" href="([^"]*)"/)
  expect(waiting, 'the waiting request is not on /me/requests')
  await citizen.open(waiting[1])
  await citizen.send('request-form', [['decision', 'allow']])
  await citizen.agree()
  const polling = { signal: AbortSignal.timeout(60000), ...(registered.dpop_bound ? options : {}) }
  const tokens = await oidc.pollBackchannelAuthenticationGrant(config, started, undefined, polling)
  await userinfo(config, tokens, registered.dpop_bound ? options : undefined)
}

await check(LIBRARY, 'CIBA, poll', async () => {
  await ciba(client({ profile: 'standard', grant: 'urn:openid:params:grant-type:ciba', delivery_mode: 'poll' }))
})

await check(LIBRARY, 'RP-initiated logout', async () => {
  const registered = client({ profile: 'standard', auth_method: 'client_secret_basic', grant: 'refresh_token' })
  const config = await configured(registered)
  const { params, checks } = await request(registered)
  const tokens = await oidc.authorizationCodeGrant(config, await citizen.walk(oidc.buildAuthorizationUrl(config, params)), checks)
  const target = registered.post_logout_redirect_uris[0]
  const state = oidc.randomState()
  await citizen.open(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: target, state }))
  const back = citizen.sentTo()
  expect(`${back.origin}${back.pathname}` === target && back.searchParams.get('state') === state, `came back at ${back}`)
  const again = await request(registered, { prompt: 'none' })
  const silent = await citizen.walk(oidc.buildAuthorizationUrl(config, again.params))
  expect(silent.searchParams.get('error') === 'login_required', 'still signed in after the logout')
})
