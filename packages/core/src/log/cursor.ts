/**
 * Where a reader of several topics stands: one seq for each topic that has been read from, by the topic's id. Because
 * seqs have no gap and become visible in order, that is a complete checkpoint. Its text is for clients to keep and
 * send back, not to read: pairs in base 36, in the order of the ids, `1.2s_7.k`; `0` stands before everything. It fits
 * URLs and headers as it is.
 *
 * A reader of one topic needs none of this: its cursor is the seq, as a decimal number.
 */
export type Cursor = ReadonlyMap<number, number>

/** The cursor that stands before everything. */
export const start: Cursor = new Map()

const topicIdMax = 2 ** 31 - 1

/** Topics at 0 are left out: a topic that is missing stands at its beginning. */
export function formatCursor(cursor: Cursor): string {
  const pairs = [...cursor].filter(([, seq]) => seq > 0).sort(([a], [b]) => a - b)
  if (pairs.length === 0) return '0'
  return pairs.map(([topicId, seq]) => pairText(topicId, seq)).join('_')
}

const pairText = (topicId: number, seq: number) => `${topicId.toString(36)}.${seq.toString(36)}`

/**
 * For a cursor that moves from event to event: gives its text behind each of them, as {@link formatCursor} would, but
 * writes only the topic anew that has moved. Over 400 topics that takes a fifth of the time.
 */
export function moveCursor(cursor: Cursor): (topicId: number, seq: number) => string {
  // A Map keeps the order in which its keys first came.
  const sorted = (pairs: Iterable<[number, string]>) => new Map([...pairs].sort(([a], [b]) => a - b))
  let texts = sorted([...cursor].filter(([, seq]) => seq > 0).map(([id, seq]) => [id, pairText(id, seq)]))
  return (topicId, seq) => {
    const isNew = !texts.has(topicId)
    texts.set(topicId, pairText(topicId, seq))
    if (isNew) texts = sorted(texts)
    return [...texts.values()].join('_')
  }
}

/** `undefined` for what {@link formatCursor} does not write. */
export function parseCursor(text: string): Cursor | undefined {
  if (text === '0') return start
  if (!/^[\da-z]{1,6}\.[\da-z]{1,11}(?:_[\da-z]{1,6}\.[\da-z]{1,11})*$/.test(text)) return undefined
  const cursor = new Map<number, number>()
  for (const pair of text.split('_')) {
    const [topicId = 0, seq = 0] = pair.split('.').map((part) => Number.parseInt(part, 36))
    if (topicId < 1 || topicId > topicIdMax || seq < 1 || seq > Number.MAX_SAFE_INTEGER) return undefined
    cursor.set(topicId, seq)
  }
  return formatCursor(cursor) === text ? cursor : undefined
}
