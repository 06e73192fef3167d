/** Headers that an endpoint may have besides ours. */
import { webhookLimits } from './limits.ts'

/** Ours, and what belongs to a connection and not to a request: whoever sets those may smuggle one request into another. */
const ours = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const oursBegin = ['content-', 'webhook-', 'sekali-']

export interface HeaderRefused {
  /** The header's name; empty where it is about all of them. */
  readonly name: string
  readonly reason: string
}

/** Why headers are refused; `undefined` if they are not. No value is in it. */
export function checkHeaders(headers: Readonly<Record<string, string>>): HeaderRefused | undefined {
  const { headersMax, headerNameCharsMax, headerValueCharsMax } = webhookLimits
  const entries = Object.entries(headers)
  if (entries.length > headersMax) return { name: '', reason: `must be at most ${headersMax}` }
  const seen = new Set<string>()
  for (const [name, value] of entries) {
    const lower = name.toLowerCase()
    if (name.length > headerNameCharsMax || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
      return { name, reason: `must be the name of a header, of at most ${headerNameCharsMax} characters` }
    }
    if (ours.has(lower) || oursBegin.some((begin) => lower.startsWith(begin))) {
      return { name, reason: 'is set by Sekali, and cannot be another' }
    }
    if (seen.has(lower)) return { name, reason: 'stands there twice' }
    seen.add(lower)
    if (value.length > headerValueCharsMax || !/^[\x20-\x7e]*$/.test(value)) {
      return { name, reason: `must be at most ${headerValueCharsMax} characters of printable ASCII` }
    }
  }
  return undefined
}
