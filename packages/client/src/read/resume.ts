/**
 * Where a replay that broke off goes on. Each line is looked at, and a line may be 256 KiB: so nothing here reads a
 * payload, as long as the line looks as gateways write it. What looks otherwise is parsed: no order of keys is relied on.
 */
import type { EventsQuery } from '../answers.ts'
import { UnexpectedAnswer } from '../errors.ts'

/** A URL may not be longer than the gateway reads; a replay of too many topics has to be read page by page. */
const afterCharsMax = 8_000

/** How far a replay has come: a seq, or for several topics a seq of each, `orders.eu:42,orders.us:7`. */
export function createResume({ topic, after, order }: EventsQuery & { readonly topic: string }) {
  const isAscending = order !== 'desc'
  const isPattern = /[*>]/.test(topic)
  // A cursor that a page gave can be sent, but nothing can be added to it.
  const canResume = isAscending && (!isPattern || after === undefined)
  const seqs = new Map<string, number>()
  return {
    passed(line: string) {
      if (!canResume) return
      const { topic, seq } = read(line)
      seqs.set(topic, seq)
    },
    after(): number | string | undefined {
      if (!canResume) return undefined
      if (!isPattern) return seqs.get(topic)
      const pairs = [...seqs].map(([name, seq]) => `${name}:${seq}`).join(',')
      return pairs.length > afterCharsMax ? undefined : pairs
    },
  }
}

const topicFirst = /^\{"topic":"([^"\\]*)"/

/**
 * The members behind the payload, whose seq is among them, up to the end of the line: plain strings, numbers and the like.
 * Behind the last `}` but one of a line that is JSON, this can only be members of the event itself: in a string the
 * first quote would end it, and the key would stand outside.
 */
const membersWithSeq =
  /^(?:,"(?!seq")[^"\\]*":(?:"[^"\\]*"|[\w.+-]+))*,"seq":(\d+)(?:,"[^"\\]*":(?:"[^"\\]*"|[\w.+-]+))*\}$/

function read(line: string): { readonly topic: string; readonly seq: number } {
  const topic = topicFirst.exec(line)?.[1]
  const payloadEnd = line.lastIndexOf('}', line.length - 2) + 1
  const seq = membersWithSeq.exec(line.slice(payloadEnd))?.[1]
  return topic === undefined || seq === undefined ? parse(line) : { topic, seq: Number(seq) }
}

function parse(line: string): { readonly topic: string; readonly seq: number } {
  try {
    const { topic, seq } = JSON.parse(line)
    if (typeof topic === 'string' && Number.isSafeInteger(seq)) return { topic, seq }
  } catch {
    // Said below, without the parser's words: they quote the line.
  }
  throw new UnexpectedAnswer('/events answered with a line that is no event')
}
