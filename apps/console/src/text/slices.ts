/** Reads events without touching their payloads: each payload is a part of the answer's own text, to the last blank. */
import { scan, toEnd } from '@sekali/core/scan'

/** An event as the log has it, its payload as the text that was sent. */
export interface LogEvent {
  readonly topic: string
  readonly event_id: string
  readonly timestamp: string
  readonly source: string
  readonly seq: number
  readonly received_at: string
  readonly stored_at: string
  readonly payload: string
  /** Of the log in which it was read, if that was ever restored from a backup. */
  readonly epoch?: number
}

/** The place of an event as a query has it. */
export const placeOf = ({ epoch, seq }: Pick<LogEvent, 'epoch' | 'seq'>): string =>
  epoch === undefined ? String(seq) : `${epoch}.${seq}`

/** Of an object: the text of each member by its name. Throws SyntaxError if it is none. */
export function sliceObject(text: string): ReadonlyMap<string, string> {
  const [members] = slices(text, 0)
  if (members === undefined) throw new SyntaxError('not an object')
  return members
}

/** An event of `/events/TOPIC/ID` or a tail. */
export const eventOf = (text: string): LogEvent => toEvent(sliceObject(text))

/** Of an array of objects: the text of each member by its name, object by object. */
export const sliceObjects = (text: string): readonly ReadonlyMap<string, string>[] => slices(text, 1)

/** The events of a page of `/events`. */
export const eventsOf = (text: string): LogEvent[] => slices(text, 1).map(toEvent)

function slices(text: string, outer: 0 | 1): ReadonlyMap<string, string>[] {
  const found: Map<string, string>[] = []
  let members = new Map<string, string>()
  const isJson = toEnd(
    scan(text, outer, {
      onBegin: () => {
        members = new Map()
      },
      onMember: (key, value) => void members.set(JSON.parse(key), value),
      onEnd: () => void found.push(members),
    }),
  )
  if (!isJson) throw new SyntaxError('not JSON')
  return found
}

function toEvent(members: ReadonlyMap<string, string>): LogEvent {
  const read = (name: string) => JSON.parse(members.get(name) ?? '""')
  return {
    topic: read('topic'),
    event_id: read('event_id'),
    timestamp: read('timestamp'),
    source: read('source'),
    seq: Number(members.get('seq') ?? 0),
    received_at: read('received_at'),
    stored_at: read('stored_at'),
    payload: members.get('payload') ?? '',
    ...(members.has('epoch') && { epoch: Number(members.get('epoch')) }),
  }
}
