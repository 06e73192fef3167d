/** An event that somebody types: each field as its text. */
export interface Draft {
  readonly topic: string
  readonly event_id: string
  readonly source: string
  readonly timestamp: string
  /** JSON text. */
  readonly payload: string
}

/** The body of `POST /publish`, with the payload's text as it is. Throws SyntaxError if that is not JSON. */
export function bodyOf({ payload, ...fields }: Draft): string {
  JSON.parse(payload)
  return `${JSON.stringify(fields).slice(0, -1)},"payload":${payload}}`
}

/** Unlike any other. `crypto.randomUUID` is missing where a page did not come by TLS or from this machine. */
export function newEventId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8))
  return `console-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** Why a text is not JSON, in the words of the browser, without what it repeats. */
export function notJsonWords(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  const why = words.replace(/^JSON\.parse: /, '').replace(/,? (?:\.\.\.)?"[\s\S]* is not valid JSON$/, '')
  return `is not JSON: ${why.charAt(0).toLowerCase()}${why.slice(1)}`
}
