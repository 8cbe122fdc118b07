// oauth4webapi directly: each answer goes through the library's own strict validation.
import * as oauth from 'oauth4webapi'
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose'

import { Citizen } from './citizen.mjs'
import { check, client, expect, persona, sandbox } from './report.mjs'

const LIBRARY = 'oauth4webapi'
const issuer = new URL(sandbox.issuer)
const insecure = { [oauth.allowInsecureRequests]: issuer.protocol === 'http:' }
const citizen = new Citizen(sandbox.issuer, persona('Tam') ?? persona('Binh'))
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))

async function authentication(registered) {
  if (registered.auth_method === 'private_key_jwt') {
    const key = await importJWK(registered.private_jwk, registered.private_jwk.alg)
    return oauth.PrivateKeyJwt({ key, kid: registered.private_jwk.kid })
  }
  return oauth.ClientSecretBasic(registered.client_secret)
}

async function start(registered, more = {}) {
  const checks = { verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce() }
  const params = new URLSearchParams({
    client_id: registered.client_id,
    redirect_uri: registered.redirect_uris[0],
    response_type: 'code',
    scope: 'openid profile',
    state: checks.state,
    nonce: checks.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(checks.verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  return { params, checks, me: { client_id: registered.client_id }, auth: await authentication(registered) }
}

function authorizationUrl(params) {
  const url = new URL(server.authorization_endpoint)
  url.search = params.toString()
  return url
}

await check(LIBRARY, 'discovery tells RFC 9207, PAR, DPoP, S256', async () => {
  expect(server.authorization_response_iss_parameter_supported === true, 'iss parameter is not announced')
  expect(server.pushed_authorization_request_endpoint, 'no PAR endpoint')
  expect(server.dpop_signing_alg_values_supported.includes('ES256'), 'no DPoP')
  expect(server.code_challenge_methods_supported.join() === 'S256', 'other challenge methods than S256')
})

await check(LIBRARY, 'code + PKCE, strict id_token, RFC 9068 access token', async () => {
  const registered = client({ profile: 'standard', auth_method: 'client_secret_basic', grant: 'refresh_token' })
  const { params, checks, me, auth } = await start(registered, { max_age: '3600' })
  const back = oauth.validateAuthResponse(server, me, await citizen.walk(authorizationUrl(params)), checks.state)
  const answer = await oauth.authorizationCodeGrantRequest(server, me, auth, back, registered.redirect_uris[0], checks.verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(server, me, answer, { expectedNonce: checks.nonce, maxAge: 3600, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(server, answer, insecure)
  const { payload, protectedHeader } = await jwtVerify(tokens.access_token, createRemoteJWKSet(new URL(server.jwks_uri)), { issuer: server.issuer })
  expect(protectedHeader.typ === 'at+jwt' && payload.client_id === registered.client_id, 'not an RFC 9068 token')
  const told = await oauth.userInfoRequest(server, me, tokens.access_token, insecure)
  await oauth.processUserInfoResponse(server, me, oauth.getValidatedIdTokenClaims(tokens).sub, told)
})

await check(LIBRARY, 'a refusal carries error, state and iss', async () => {
  const registered = client({ profile: 'standard', auth_method: 'client_secret_basic', grant: 'refresh_token' })
  const { params, checks, me } = await start(registered, { prompt: 'none login' })
  const back = await citizen.walk(authorizationUrl(params))
  try {
    oauth.validateAuthResponse(server, me, back, checks.state)
    throw new Error('no error came back')
  } catch (error) {
    expect(error instanceof oauth.AuthorizationResponseError, error.message)
    expect(error.error === 'invalid_request', `the error is ${error.error}`)
  }
})

await check(LIBRARY, 'FAPI 2.0: PAR, private_key_jwt, DPoP with nonces', async () => {
  const registered = client({ profile: 'fapi2', auth_method: 'private_key_jwt', grant: 'authorization_code', dpop_bound: true })
  const { params, checks, me, auth } = await start(registered)
  const DPoP = oauth.DPoP(me, await oauth.generateKeyPair('ES256'))
  const again = async (ask, process) => {
    try {
      return await process(await ask())
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error
      return process(await ask())
    }
  }
  const pushed = await again(
    () => oauth.pushedAuthorizationRequest(server, me, auth, params, { DPoP, ...insecure }),
    (answer) => oauth.processPushedAuthorizationResponse(server, me, answer),
  )
  const url = authorizationUrl(new URLSearchParams({ client_id: me.client_id, request_uri: pushed.request_uri }))
  const back = oauth.validateAuthResponse(server, me, await citizen.walk(url), checks.state)
  const tokens = await again(
    () => oauth.authorizationCodeGrantRequest(server, me, auth, back, registered.redirect_uris[0], checks.verifier, { DPoP, ...insecure }),
    (answer) => oauth.processAuthorizationCodeResponse(server, me, answer, { expectedNonce: checks.nonce, requireIdToken: true }),
  )
  const told = await oauth.userInfoRequest(server, me, tokens.access_token, { DPoP, ...insecure })
  await oauth.processUserInfoResponse(server, me, oauth.getValidatedIdTokenClaims(tokens).sub, told)
})

await check(LIBRARY, 'JARM, strict', async () => {
  const wanted = { profile: 'standard', auth_method: 'client_secret_basic', grant: 'refresh_token' }
  const registered = client(wanted)
  const { params, checks, me, auth } = await start(registered, { response_mode: 'jwt' })
  const sent = await citizen.walk(authorizationUrl(params))
  const back = await oauth.validateJwtAuthResponse(server, { ...me, authorization_signed_response_alg: 'ES256' }, sent, checks.state, insecure)
  const answer = await oauth.authorizationCodeGrantRequest(server, me, auth, back, registered.redirect_uris[0], checks.verifier, insecure)
  await oauth.processAuthorizationCodeResponse(server, me, answer, { expectedNonce: checks.nonce, requireIdToken: true })
})

await check(LIBRARY, 'the second use of a code ends its tokens', async () => {
  const registered = client({ profile: 'standard', auth_method: 'client_secret_basic', grant: 'refresh_token' })
  const { params, checks, me, auth } = await start(registered)
  const back = oauth.validateAuthResponse(server, me, await citizen.walk(authorizationUrl(params)), checks.state)
  const redeem = () => oauth.authorizationCodeGrantRequest(server, me, auth, back, registered.redirect_uris[0], checks.verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(server, me, await redeem(), { expectedNonce: checks.nonce, requireIdToken: true })
  const second = await redeem()
  expect(second.status === 400 && (await second.json()).error === 'invalid_grant', 'the second use was not refused')
  const told = await oauth.userInfoRequest(server, me, tokens.access_token, insecure)
  expect(told.status === 401, `the token of the first use still gives ${told.status}`)
})
