/**
 * Makes connections to where webhooks may go, and to nowhere else.
 *
 *     a literal           checked here: undici asks no lookup about `127.0.0.1` or `[::ffff:127.0.0.1]`
 *     every A and AAAA    checked when they are looked up, and the connection goes to one of these: the name cannot lead
 *                         elsewhere between the check and the connection
 *     the socket          checked before undici gets it, so before anything of a request is written: whatever else may have
 *                         led it elsewhere
 *
 * A connection that is kept stays where it was checked. No proxy is asked for, whatever the environment says.
 */
import { isIP, type LookupFunction } from 'node:net'
import { type Allow, isAllowed, whyDenied } from '@sekali/webhook/guard'
import { buildConnector } from 'undici'
import { dispatcherLimits } from '../limits.ts'
import { AddressDenied } from './errors.ts'
import { createNames, type Resolve } from './names.ts'

/** `isClear` of http:, which goes to addresses in WEBHOOK_ALLOW alone. */
const denialOf = (address: string, allow: Allow, isClear: boolean): string | undefined =>
  whyDenied(address, allow) ?? (isClear && !isAllowed(address, allow) ? 'http' : undefined)

function guardedLookup(allow: Allow, isClear: boolean, resolve: Resolve): LookupFunction {
  return (hostname, { all }, then) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) return then(error, '')
      const why = addresses.map(({ address }) => denialOf(address, allow, isClear)).find((word) => word)
      if (why !== undefined) return then(new AddressDenied(why), '')
      const [first] = addresses
      if (first === undefined) return then(Object.assign(new Error('no address'), { code: 'ENODATA' }), '')
      if (all) then(null, addresses)
      else then(null, first.address, first.family)
    })
  }
}

/** Why nothing may be written to a socket that has just been connected. One without an address was closed at once. */
export function refusalOf(
  { remoteAddress }: { readonly remoteAddress?: string | undefined },
  allow: Allow,
  isClear: boolean,
): Error | undefined {
  if (remoteAddress === undefined) return Object.assign(new Error('closed at once'), { code: 'ECONNRESET' })
  const why = denialOf(remoteAddress, allow, isClear)
  return why === undefined ? undefined : new AddressDenied(why)
}

/** What makes the connections of an endpoint's pool. */
export function guardedConnect(allow: Allow, resolve: Resolve = createNames()): buildConnector.connector {
  const connectors = { 'https:': connectorOf(false), 'http:': connectorOf(true) }

  function connectorOf(isClear: boolean): buildConnector.connector {
    const connect = buildConnector({
      timeout: dispatcherLimits.connectMs,
      allowH2: false,
      rejectUnauthorized: true,
      lookup: guardedLookup(allow, isClear, resolve),
    })
    return (options, callback) => {
      const literal = options.hostname.replace(/^\[|\]$/g, '')
      const why = isIP(literal) === 0 ? undefined : denialOf(literal, allow, isClear)
      if (why !== undefined) return callback(new AddressDenied(why), null)
      connect(options, (...connected) => {
        const [error, socket] = connected
        if (error !== null) return callback(error, null)
        const refusal = refusalOf(socket, allow, isClear)
        if (refusal === undefined) return callback(null, socket)
        socket.destroy()
        callback(refusal, null)
      })
    }
  }

  return (options, callback) => {
    if (options.protocol === 'https:') connectors['https:'](options, callback)
    else connectors['http:'](options, callback)
  }
}
