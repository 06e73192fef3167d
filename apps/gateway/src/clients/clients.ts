/**
 * Who a request comes from, for limits: the peer's address, or the address that a trusted proxy forwards. An IPv6 address
 * counts as its /64, because a client with one address of a network has them all (RFC 6177).
 */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'

/** An IPv4 address, or the first half of an IPv6 address. Only this file looks into it. */
export type Client = string

export interface Clients {
  /** The client of a request. It never throws: all requests without an address are of one client. */
  of(request: Pick<IncomingMessage, 'socket' | 'headers'> | undefined): Client
  /** Whether a trusted proxy is at the other end, so that each request may be another client's. */
  isProxy(socket: Pick<Socket, 'remoteAddress'>): boolean
  /** Whether a trusted proxy says that its client came with TLS. */
  isTls(request: Pick<IncomingMessage, 'socket' | 'headers'>): boolean
  /** Whether requests of more than one client came lately. A client that is alone need not leave anything to others. */
  areSeveral(): boolean
}

const latelyMs = 1_000

/** Where requests have no address: a Unix socket, a closed connection, a test without one. */
const unknown: Client = 'unknown'

/**
 * `trustedProxies` are addresses and networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed. Of that header the
 * last address counts that is not a trusted proxy's: the client may have invented those before it. For the same reason
 * the last scheme counts of `X-Forwarded-Proto`.
 */
export function createClients(trustedProxies: readonly string[] = []): Clients {
  const trusted = trustedList(trustedProxies)
  const isTrusted = (address: string) => {
    const family = isIP(address)
    return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  const isProxy = (peer: string) => trustedProxies.length > 0 && isTrusted(peer)
  let last: Client | undefined
  let changedAt = -Infinity

  function note(client: Client): Client {
    if (client === last) return client
    if (last !== undefined) changedAt = performance.now()
    last = client
    return client
  }

  // Nearly every request comes from the address that the last one came from.
  let lastAddress: string | undefined
  let lastClient: Client = unknown

  function clientOf(address: string): Client {
    if (address !== lastAddress) {
      lastClient = clientAt(plain(address))
      lastAddress = address
    }
    return lastClient
  }

  return {
    areSeveral: () => performance.now() - changedAt < latelyMs,
    isProxy: ({ remoteAddress }) => isProxy(plain(remoteAddress ?? '')),
    isTls({ socket, headers }) {
      const scheme =
        String(headers['x-forwarded-proto'] ?? '')
          .split(',')
          .at(-1) ?? ''
      return isProxy(plain(socket.remoteAddress ?? '')) && scheme.trim().toLowerCase() === 'https'
    },
    of(request) {
      const address = request?.socket?.remoteAddress ?? ''
      if (trustedProxies.length === 0) return note(clientOf(address))
      const peer = plain(address)
      if (!isProxy(peer)) return note(clientAt(peer))
      const forwarded = String(request?.headers['x-forwarded-for'] ?? '')
        .split(',')
        .map((text) => plain(text.trim()))
      return note(
        clientAt(forwarded.findLast((address) => isIP(address) !== 0 && !isTrusted(address)) ?? peer),
      )
    },
  }
}

/** Whether a text names a proxy: an address, or a network with the length of its prefix. */
export function isProxy(text: string): boolean {
  const [address = '', length] = text.split('/')
  const bits = isIP(address) === 4 ? 32 : 128
  return isIP(address) !== 0 && (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits))
}

function trustedList(proxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', length] = proxy.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (length === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(length), family)
  }
  return list
}

/** An IPv4 address that comes mapped into IPv6 (RFC 4291, 2.5.5.2) as itself; others without their zone. */
function plain(address: string): string {
  const [text = ''] = address.split('%')
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1] ?? text
}

function clientAt(address: string): Client {
  const family = isIP(address)
  if (family === 0) return unknown
  if (family === 4) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
