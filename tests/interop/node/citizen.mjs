// A citizen's browser: keeps cookies, follows redirects at the provider, fills in the forms it is shown.
import { createHmac } from 'node:crypto'

const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#34;': '"', '&#39;': "'" }
const unescape = (text) => text.replace(/&(amp|lt|gt|quot|#34|#39);/g, (entity) => ENTITIES[entity])

export class Citizen {
  // persona: of `dinhdanh sandbox --json`. offset: seconds that the sandbox's clock is ahead.
  constructor(issuer, persona) {
    this.issuer = issuer
    this.persona = persona
    this.cookies = new Map()
    this.page = undefined
  }

  // Goes to an address and along every redirect that stays at the provider; gives the answer it stopped at.
  async open(url, init = {}) {
    let target = new URL(url, this.issuer)
    for (let step = 0; step < 12; step++) {
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await fetch(target, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
      for (const line of answer.headers.getSetCookie()) {
        const [pair] = line.split(';')
        const at = pair.indexOf('=')
        this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
      }
      const location = answer.headers.get('location')
      this.page = { url: target, status: answer.status, location, text: await answer.text() }
      if (!location) return this.page
      const next = new URL(location, target)
      if (next.origin !== new URL(this.issuer).origin) return this.page
      target = next
      init = {}
    }
    throw new Error('too many redirects')
  }

  has(formId) {
    return this.page.text.includes(`id="${formId}"`)
  }

  // Sends a form of the present page with its hidden fields.
  async send(formId, fields = []) {
    const form = this.page.text.match(new RegExp(`<form[^>]*\\bid="${formId}"[^>]*>[\\s\\S]*?</form>`))
    if (!form) throw new Error(`no form ${formId} on ${this.page.url.pathname} (${this.page.status})`)
    const action = unescape(form[0].match(/action="([^"]*)"/)[1])
    const body = new URLSearchParams(fields)
    for (const [, name, value] of form[0].matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)) {
      body.append(name, unescape(value))
    }
    return this.open(new URL(action, this.page.url), { method: 'POST', body })
  }

  // Whatever the pages ask: number and password, one-time code, consent to everything.
  async agree() {
    for (let step = 0; step < 6; step++) {
      if (this.has('signin-form')) {
        await this.send('signin-form', [['number', this.persona.number], ['password', this.persona.password]])
      } else if (this.has('code-form')) {
        await this.waitForFreshCode()
        await this.send('code-form', [['code', totp(this.persona.totp_secret)]])
      } else if (this.has('consent-form')) {
        const ticks = [...this.page.text.matchAll(/<input type="checkbox" name="(purpose|field)" value="([^"]*)"/g)]
        await this.send('consent-form', [['decision', 'allow'], ...ticks.map(([, name, value]) => [name, unescape(value)])])
      } else {
        return this.page
      }
    }
    return this.page
  }

  // From an authorization request to the address that the portal is called at.
  async walk(url) {
    await this.open(url)
    await this.agree()
    return this.sentTo()
  }

  // The address the browser is sent on to, also when it has to post a form there.
  sentTo() {
    if (this.page.location) return new URL(this.page.location)
    throw new Error(`no redirect to the portal from ${this.page.url.pathname} (${this.page.status}): ${told(this.page.text)}`)
  }

  // The provider takes each one-time code once.
  async waitForFreshCode() {
    const step = Math.floor(Date.now() / 30000)
    const last = Citizen.lastStep.get(this.persona.number)
    if (last !== undefined && last >= step) {
      await new Promise((resolve) => setTimeout(resolve, (last + 1) * 30000 - Date.now() + 200))
    }
    Citizen.lastStep.set(this.persona.number, Math.floor(Date.now() / 30000))
  }
}
Citizen.lastStep = new Map()

export function told(html) {
  return html.replace(/<style[\s\S]*?<\/style>/g, '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 300)
}

// RFC 6238, six digits, thirty seconds, SHA-1.
export function totp(secret, seconds = Math.floor(Date.now() / 1000)) {
  const bits = [...secret.replace(/=+$/, '')].map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)))
  const digest = createHmac('sha1', key).update(counter).digest()
  const at = digest[19] & 15
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, '0')
}
