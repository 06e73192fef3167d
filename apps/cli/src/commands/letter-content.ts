/** What a letter has in it. Payloads are shown as they were sent, so they are never parsed and printed. */
import { call, jsonOf } from '@sekali/client/connection'
import { onOneLine } from '@sekali/core/event'
import { findPayload } from '@sekali/core/payload'
import { type Context, required } from '../context.ts'
import { UsageError } from '../exit.ts'
import { plain, styled } from '../terminal/text.ts'
import { membersOf } from './members.ts'

interface Content {
  readonly timestamp: string
  readonly source: string
}

interface LetterWithContent {
  readonly id: string
  readonly kind: string
  readonly topic: string
  readonly event_id: string | null
  readonly seq?: number
  readonly kept: boolean
  readonly received?: Content
  readonly stored?: Content
  readonly differs?: readonly string[]
  readonly same_json?: boolean
}

async function read({ connection, options }: Context, id: string) {
  const path = `/dead-letters/${encodeURIComponent(id)}`
  const answer = await call(connection, path, { method: 'GET' }, options)
  const letter = jsonOf<LetterWithContent>(answer, (value) => 'id' in value && 'kept' in value)
  return { letter, text: answer.text.trimEnd(), members: membersOf(answer.text) }
}

/** `sekali dead-letter show`. */
export async function show(context: Context, [id]: string[]): Promise<undefined> {
  const { json, out } = context
  const { text, members } = await read(context, required(id))
  if (json) await out.line(onOneLine(text))
  else
    for (const [name, value] of members) {
      const shown = value.startsWith('"') ? (JSON.parse(value) as string) : value
      await out.line(`${name.replaceAll('_', ' ').padEnd(12)} ${plain(shown)}`)
    }
}

/** `sekali dead-letter compare`. */
export async function compare(context: Context, [id]: string[]): Promise<undefined> {
  const { json, out } = context
  const { letter, text, members } = await read(context, required(id))
  if (letter.kind !== 'conflict')
    throw new UsageError(`${required(id)} is no conflict: sekali dead-letter show has its content`)
  if (json) return await out.line(onOneLine(text)).then(() => undefined)
  await out.line(
    `${letter.id}  ${plain(letter.topic)}  ${plain(letter.event_id ?? '?')}  the log has it as seq ${letter.seq}`,
  )
  const { received, stored, differs = [], same_json } = letter
  if (received === undefined || stored === undefined) {
    return await out.line('nothing of its content is kept: its topic had too many').then(() => undefined)
  }
  for (const name of ['timestamp', 'source'] as const) {
    const value = plain(stored[name])
    const change = differs.includes(name)
      ? `${styled('red', value)} → ${styled('green', plain(received[name]))}`
      : value
    await out.line(`${name.padEnd(12)} ${change}`)
  }
  if (!differs.includes('payload')) return await out.line('payload      is the same').then(() => undefined)
  const how = same_json ? 'is the same as JSON, and written in another way' : 'differs'
  await out.line(`payload      ${how}`)
  for (const [name, style] of [['stored', 'red'] as const, ['received', 'green'] as const]) {
    const payload = findPayload(members.get(name) ?? '').text ?? ''
    await out.line(`  ${name.padEnd(10)} ${styled(style, plain(payload))}`)
  }
}
