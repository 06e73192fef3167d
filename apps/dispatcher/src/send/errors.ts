import { SekaliError } from '@sekali/core/errors'

/** The host of an endpoint leads where webhooks may not go. Nothing was sent. */
export class AddressDenied extends SekaliError {
  readonly code = 'blocked_address'
  readonly retryable = true

  /** `why` is a word such as `loopback`, or `http`. The address is left out: whoever chose the name need not learn what it leads to here. */
  constructor(why: string) {
    const what =
      why === 'http'
        ? 'nothing goes there in the clear'
        : `the host leads to an address that is not public (${why})`
    super(`${what}: whoever runs Sekali can allow it with WEBHOOK_ALLOW`)
  }
}

/** Why no answer came, in a word and, where there is more to say, a sentence. */
export function wordOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof AddressDenied) return `${cause.code}: ${cause.message}`
    const { code, name } = cause as Error & { readonly code?: unknown }
    if (name === 'TimeoutError') return 'timeout'
    if (name === 'HTTPParserError') return 'bad_answer'
    const word = typeof code === 'string' ? (words[code] ?? wordOfTls(code)) : undefined
    if (word !== undefined) return word
  }
  return 'failed'
}

const words: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'bad_answer',
  UND_ERR_SOCKET: 'connection_lost',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  ETIMEDOUT: 'connect_timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'name_not_found',
  ENODATA: 'name_not_found',
  EAI_AGAIN: 'name_lookup_failed',
  EAI_FAIL: 'name_lookup_failed',
}

function wordOfTls(code: string): string | undefined {
  return /CERT|TLS|SSL|ALTNAME|SIGNATURE|EPROTO/.test(code) ? `tls: ${code.toLowerCase()}` : undefined
}
