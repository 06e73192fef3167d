/** Headers of the caller's own, and a token: sent with each request, and never part of an error's message. */
import { InvalidConfig } from '@sekali/core/errors'
import { NoToken } from '../errors.ts'
import type { Fetch } from './request.ts'

/** A token, or what makes one. It is asked before each try, so a token may be short-lived. */
export type Token = string | (() => string | PromiseLike<string>)

export interface HeaderOptions {
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: Token | undefined
  /** Sent with each request; what the client itself says of a request, such as its content-type, holds before them. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A fetch that adds them. Throws InvalidConfig for what no header can have: fetch's own words would quote it. */
export function withHeaders(fetch: Fetch, { token, headers = {} }: HeaderOptions): Fetch {
  const own = checkedHeaders(headers)
  if (typeof token === 'string') own.authorization = bearer(token)
  else if (typeof token === 'function') {
    return async (url, init) => {
      const authorization = bearer(await inTime(init.signal, () => askFor(token)))
      return fetch(url, { ...init, headers: { ...own, authorization, ...init.headers } })
    }
  } else if (token !== undefined) throw new InvalidConfig(tokenRule)
  if (Object.keys(own).length === 0) return fetch
  return (url, init) => fetch(url, { ...init, headers: { ...own, ...init.headers } })
}

const tokenRule = 'token must be visible ASCII, or a function that returns it'

function bearer(token: unknown): string {
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`
  throw new InvalidConfig(tokenRule)
}

async function askFor(token: () => string | PromiseLike<string>): Promise<unknown> {
  try {
    return await token()
  } catch (cause) {
    throw new NoToken('the token function failed', { cause })
  }
}

// What is said of a connection or of a body's length. Node's fetch rejects it as if the gateway were away.
const ofFetch = /^(connection|content-length|expect|keep-alive|transfer-encoding|upgrade)$/i

/** By lower-case names, so that one of the caller's and one of ours cannot both be sent. */
function checkedHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) {
    throw new InvalidConfig('headers must be an object of names and values')
  }
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new InvalidConfig(`"${name}" is no name of a header`)
      if (ofFetch.test(name))
        throw new InvalidConfig(`the header "${name}" is for fetch to set: leave it out`)
      if (typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value))
        return [name.toLowerCase(), value]
      throw new InvalidConfig(`the header "${name}" must be text of one line, in Latin-1`)
    }),
  )
}

/** Work that cannot be stopped is no longer waited for once the signal aborts. */
function inTime<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new NoToken('the token function did not answer in time'))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}
