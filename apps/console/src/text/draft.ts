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
