const elsewhere = 'name the gateway with --url or SEKALI_URL'

/** What to do about it, behind the message; empty where the message has it. By the system's codes, anywhere among the causes. */
export function adviceOn(error: unknown, url: string): string {
  const code = codeOf(error)
  const { hostname } = new URL(url)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `; there is no host ${hostname}: ${elsewhere}`
  if (code === 'ECONNREFUSED') {
    return `; nobody listens there: start Sekali with npm start, or ${elsewhere}`
  }
  return ''
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && /^E[A-Z_]+$/.test(code) ? code : codeOf(error.cause)
}
