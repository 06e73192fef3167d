/**
 * Loaded into dispatchers before all else: one name leads to an address that is allowed and to one that is not, by turns, as that
 * of an attacker's server does. All others are looked up as ever.
 */
import dns from 'node:dns'
import { readFileSync } from 'node:fs'
import process from 'node:process'

const { name, open, inside, file } = JSON.parse(process.env.CHAOS_TURNING_NAME ?? '{}') as Record<
  'name' | 'open' | 'inside' | 'file',
  string
>
const turns = [[open], [inside], [open], [open, inside], [open]]
let count = 0

type Ask = (this: unknown, asked: string) => Promise<string[]>
const prototype: { resolve4: Ask; resolve6: Ask } = dns.promises.Resolver.prototype as never
const { resolve4, resolve6 } = prototype

prototype.resolve4 = async function (asked) {
  if (asked !== name) return await resolve4.call(this, asked)
  const isInside = readFileSync(file, 'utf8') === 'inside'
  return isInside ? [inside] : (turns[count++ % turns.length] as string[])
}
prototype.resolve6 = async function (asked) {
  if (asked !== name) return await resolve6.call(this, asked)
  throw Object.assign(new Error('no address'), { code: 'ENODATA' })
}
