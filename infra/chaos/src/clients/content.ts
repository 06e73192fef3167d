// What is published, as a pure function of source, topic, number and variant: the checker makes the text again
// instead of keeping it.

/** A fact of the workload. Variant 0 is the event; the others come under its id with another payload. */
export interface Fact {
  readonly topic: string
  readonly source: string
  /** 1, 2, 3 … of this source on this topic. */
  readonly n: number
  /** Sent by many at once, so that nobody can say in which order it must stand. */
  readonly unordered?: boolean
}

export const idOf = ({ source, n }: Fact): string => `${source}-${n}`

const firstMs = Date.UTC(2026, 0, 1)

/** In the form in which events come back, so that it can be compared as text. */
export function timestampOf({ n }: Fact): string {
  const iso = new Date(firstMs + n * 1_237).toISOString()
  return iso.replace('Z', `${String((n * 7) % 1_000).padStart(3, '0')}Z`)
}

/** JSON that parsing and printing would change: big numbers, trailing zeros, the order of keys, escapes. */
export function payloadOf({ source, n }: Fact, variant: number): string {
  return (
    `{"n":${n},"big":90071992547409${93 + (n % 7)}123,"price":${n}.10,"tiny":1e-7, "z":1,"a":"é\\u00e9 😀",` +
    `"by":"${source}","variant":${variant},"fill":"${'x'.repeat(sizeOf(n))}"}`
  )
}

// Mostly small; now and then as large as events get.
function sizeOf(n: number): number {
  if (n % 400 === 0) return 100_000
  return n % 20 === 0 ? 4_000 : n % 90
}

export const bodyOf = (fact: Fact, variant: number): string =>
  `{"topic":"${fact.topic}","event_id":"${idOf(fact)}","timestamp":"${timestampOf(fact)}",` +
  `"source":"${fact.source}","payload":${payloadOf(fact, variant)}}`

/** Bodies that look like events and must be refused with 422. All have ids that begin with `poison`. */
export function poisonBody(topic: string, n: number): string {
  const body = (differs: Record<string, string>) => {
    const fields = {
      topic: `"${topic}"`,
      event_id: `"poison-${n}"`,
      timestamp: '"2026-01-01T00:00:00Z"',
      source: '"poisoner"',
      payload: '{}',
      ...differs,
    }
    return `{${Object.entries(fields)
      .map(([name, text]) => `"${name}":${text}`)
      .join(',')}}`
  }
  const kinds = [
    body({ payload: '{"text":"\\u0000"}' }),
    body({ payload: '{"text":"\\ud800"}' }),
    body({ payload: '{"\\udc00":1}' }),
    body({ payload: `${'{"a":'.repeat(80)}1${'}'.repeat(80)}` }),
    body({ payload: '[1]' }),
    body({ payload: `{"fill":"${'x'.repeat(280 * 1_024)}"}` }),
    body({ timestamp: '"yesterday"' }),
    body({ event_id: `"poison-${'x'.repeat(300)}"` }),
    body({ topic: '"no spaces please"' }),
    body({ seq: '1' }),
  ]
  return kinds[n % kinds.length] as string
}
