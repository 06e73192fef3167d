/**
 * Where a webhook may go. Whoever may make a subscription chooses a URL, and a dispatcher stands inside of a network: without
 * a guard it would reach what nobody outside may reach. So an address must be one of the public internet, or in WEBHOOK_ALLOW.
 *
 * A name says nothing: it may lead anywhere, and elsewhere the next time. So addresses are checked when a connection is made
 * (apps/dispatcher/src/send/connect.ts), and a URL when it is saved, as far as it has an address in it.
 */
import { isIP } from 'node:net'
import { InvalidConfig } from '@sekali/core/errors'
import ipaddr from 'ipaddr.js'
import { webhookLimits } from './limits.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Networks that webhooks may go to although they are not public. */
export type Allow = readonly (readonly [Address, number])[]

const remedy = 'if it is meant, whoever runs Sekali must allow it with WEBHOOK_ALLOW'

/** Networks as in `127.0.0.0/8,::1,10.1.2.3`. An address of IPv4 is one, however it comes. Throws `InvalidConfig`. */
export function parseAllow(text: string): Allow {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const wrong = new InvalidConfig(
    `WEBHOOK_ALLOW must be at most ${webhookLimits.allowMax} networks, such as 127.0.0.0/8,::1/128`,
  )
  if (parts.length > webhookLimits.allowMax) throw wrong
  return parts.map((part) => {
    const [address = '', prefix, ...more] = part.split('/')
    if (more.length > 0 || isIP(address) === 0 || address.includes('%')) throw wrong
    const plain = ipaddr.parse(withoutDots(address))
    const bitsMax = plain.kind() === 'ipv4' ? 32 : 128
    if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bitsMax)) throw wrong
    const bits = prefix === undefined ? bitsMax : Number(prefix)
    if (plain.kind() === 'ipv6' && (plain as ipaddr.IPv6).isIPv4MappedAddress()) {
      const v4 = `${(plain as ipaddr.IPv6).toIPv4Address()}/${Math.max(0, bits - 96)}`
      throw new InvalidConfig(`WEBHOOK_ALLOW must have ${part} as ${v4}: what is of IPv4 is written so`)
    }
    return [plain, bits]
  })
}

/** ipaddr.js takes `::93.184.216.34`, as systems print ::5db8:d822, for `::ffff:93.184.216.34`; a URL has no dots in it. */
const withoutDots = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address

/** Of IPv4, beyond what ipaddr.js knows: Azure's WireServer, which answers every virtual machine there. */
const deniedV4 = [ipaddr.parseCIDR('168.63.129.16/32')] as const
/** Of IPv6 only this is the internet. ipaddr.js calls `::a9fe:a9fe`, which is 169.254.169.254, unicast. */
const publicV6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]
/** And of that: documentation, 6to4 relays' and Teredo's are known; this is newer. */
const deniedV6 = [ipaddr.parseCIDR('3fff::/20')] as const

function parse(text: string): Address | undefined {
  const [bare = ''] = text.split('%') // a zone: of this machine's own link
  if (isIP(bare) === 0) return undefined
  const address = ipaddr.parse(withoutDots(bare))
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
    ? (address as ipaddr.IPv6).toIPv4Address()
    : address
}

const isIn = (address: Address, network: readonly [Address, number]): boolean =>
  address.kind() === network[0].kind() &&
  address.match(network as [ipaddr.IPv4, number] & [ipaddr.IPv6, number])

/** Whether an address is in WEBHOOK_ALLOW. */
export function isAllowed(text: string, allow: Allow): boolean {
  const address = parse(text)
  return address !== undefined && allow.some((network) => isIn(address, network))
}

/** Why nothing is sent to an address, in a word such as `loopback`; `undefined` if it is. What is no address is not. */
export function whyDenied(text: string, allow: Allow): string | undefined {
  const address = parse(text)
  if (address === undefined) return 'invalid'
  if (allow.some((network) => isIn(address, network))) return undefined
  const range = address.range()
  if (range !== 'unicast') return range
  if (address.kind() === 'ipv4')
    return deniedV4.some((network) => isIn(address, network)) ? 'reserved' : undefined
  return !isIn(address, publicV6) || deniedV6.some((network) => isIn(address, network))
    ? 'reserved'
    : undefined
}

/** What to say to whoever wants something sent there. */
export const deniedText = (address: string, why: string): string =>
  `${address} is no address of the public internet (${why}): ${remedy}`

/** The address that a URL has for a host; `undefined` where it has a name. */
export function literalOf({ hostname }: URL): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? undefined : bare
}

/** Why a URL cannot be an endpoint's; `undefined` if it can. Where it has a name, the name may still lead where nothing goes. */
export function checkUrl(text: string, allow: Allow): { readonly reason: string } | undefined {
  if (text.length > webhookLimits.urlCharsMax) {
    return { reason: `must be at most ${webhookLimits.urlCharsMax} characters` }
  }
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    return { reason: 'must be a URL that begins with https://' }
  if (url.username !== '' || url.password !== '') {
    return { reason: 'must have no name or password in it: a header can have them' }
  }
  if (url.hash !== '') return { reason: 'must have no fragment' }
  const literal = literalOf(url)
  if (url.protocol === 'http:' && !(literal === undefined ? allow.length > 0 : isAllowed(literal, allow))) {
    return { reason: `must begin with https://, as nothing is allowed to go out in the clear: ${remedy}` }
  }
  const why = literal && whyDenied(literal, allow)
  return literal && why ? { reason: deniedText(literal, why) } : undefined
}
