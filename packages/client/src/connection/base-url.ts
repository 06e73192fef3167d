import { InvalidConfig } from '@sekali/core/errors'

/** Where a gateway of `npm start` is. */
const loopback = 'http://127.0.0.1:8080'

/**
 * The base URL, without a slash at its end. If none is given: the environment's SEKALI_URL, or in a page the origin that
 * it came from, or else this machine. Throws InvalidConfig for what is none, and quotes nothing: it may hold a password.
 */
export function baseUrlOf(given: unknown): string {
  if (given !== undefined) return parse('baseUrl', given)
  const ofEnvironment = readEnvironment()
  return ofEnvironment ? parse('SEKALI_URL', ofEnvironment) : (pageOrigin() ?? loopback)
}

/** `process` is there in Node, Bun and Deno, not in browsers. */
function readEnvironment(): string | undefined {
  const { process } = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } }
  try {
    return process?.env?.SEKALI_URL
  } catch {
    return undefined // Deno without leave to read it
  }
}

/** Of a page that was loaded over HTTP. One from a file has the origin `null`. */
function pageOrigin(): string | undefined {
  const { location } = globalThis as { location?: { origin?: string } }
  return location?.origin && /^https?:/.test(location.origin) ? location.origin : undefined
}

function parse(name: string, given: unknown): string {
  const text = given instanceof URL ? given.href : given
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidConfig(`${name} must begin with http:// or https://`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidConfig(`${name} must have no user name or password: use the option token`)
  }
  if (url.search !== '' || url.hash !== '')
    throw new InvalidConfig(`${name} must have no query and no fragment`)
  return (url.origin + url.pathname).replace(/\/+$/, '')
}
