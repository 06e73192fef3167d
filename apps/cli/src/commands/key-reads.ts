/** Keys as they are listed and shown. */
import { call, jsonOf, search } from '@sekali/client/connection'
import { isKeyId, keyIdRule } from '@sekali/core/key'
import { limits } from '@sekali/core/limits'
import { type Context, required } from '../context.ts'
import { UsageError } from '../exit.ts'
import { plain, table } from '../terminal/text.ts'

/** As much of a key as is shown. */
export interface Key {
  readonly key?: string
  readonly id: string
  readonly name: string
  readonly status: string
  readonly created_by: string
  readonly scopes: readonly string[]
  readonly topics: readonly string[]
  readonly source?: string
  readonly expires_at: string | null
  readonly last_used_at: string | null
  readonly successor: string | null
}

export const isKey = (value: object): boolean => 'id' in value && 'scopes' in value

/** Throws `UsageError`. A key that was pasted in place of its id is not sent: paths get into logs. */
export function pathOf(id: string): string {
  if (isKeyId(id)) return `/keys/${id}`
  throw new UsageError(`an id ${keyIdRule}, and is not the key itself: sekali key list has the ids`)
}

export const powers = ({ scopes, topics, source }: Key): string =>
  plain(`${scopes.join(', ')} on ${topics.join(', ')}${source === undefined ? '' : ` as ${source}`}`)

/** Those that may do no more than the key that asks, oldest first. */
export async function allKeys({ connection, options }: Context): Promise<Key[]> {
  const keys: Key[] = []
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const query = search({ limit: limits.pageSizeMax, after })
    const answer = await call(connection, `/keys${query}`, { method: 'GET' }, options)
    const page = jsonOf<Key[]>(answer, Array.isArray)
    keys.push(...page)
    const next = /[?&]after=(\w+)/.exec(answer.header('link') ?? '')?.[1]
    isLast = next === undefined
    after = next
  }
  return keys
}

export const list = async (context: Context) => {
  const { json, out } = context
  const keys = await allKeys(context)
  if (json) for (const key of keys) await out.line(JSON.stringify(key))
  else if (keys.length === 0) await out.line('no keys')
  else
    for (const line of table(
      ['id', 'name', 'status', 'may', 'last used', 'expires'],
      keys.map(row),
      [0, 1, 2, 3],
    ))
      await out.line(line)
  return undefined
}

const row = (key: Key): string[] => [
  plain(key.id),
  plain(key.name),
  key.successor === null ? key.status : `${key.status}, rotated`,
  powers(key),
  minute(key.last_used_at),
  minute(key.expires_at),
]

const minute = (time: string | null): string => (time === null ? 'never' : `${time.slice(0, 16)}Z`)

export const show = async ({ connection, options, json, out }: Context, [id]: string[]) => {
  const answer = await call(connection, pathOf(required(id)), { method: 'GET' }, options)
  const key = jsonOf<Record<string, unknown>>(answer, isKey)
  if (json) await out.line(answer.text.trimEnd())
  else
    for (const [name, value] of Object.entries(key)) {
      const text = Array.isArray(value) ? value.join(', ') : String(value ?? 'never')
      await out.line(
        `${name.replaceAll('_', ' ').padEnd(18)} ${plain(name === 'successor' && value === null ? 'none' : text)}`,
      )
    }
  return undefined
}
