/** Holds answers that came as bytes against the description: those that no listener makes, too, such as to what is no HTTP. */
import type { Answered } from './answer.ts'
import { check } from './watch.ts'

/** What is wrong with the answers to what was sent on a connection. */
export function violationsIn(sent: string, received: string): readonly string[] {
  const requests = [...sent.matchAll(/^([A-Z]+) (\S+) HTTP\/1\.[01]\r?$/gm)]
  const answers = [...answersIn(received)]
  // Which answer is to which request is clear only if each has one; what is no request is answered as one of no route.
  if (requests.length !== answers.length && requests.length > 0) return []
  return answers.flatMap((answer, index) => {
    const [, method = 'GET', target = ''] = requests[index] ?? []
    // `OPTIONS *` is about the whole server, as `OPTIONS /` is here.
    const path = target === '*' ? '/' : (target.split('?', 1)[0] ?? '')
    return check({ ...answer, method, path })
  })
}

function* answersIn(received: string): Generator<Omit<Answered, 'method' | 'path'>> {
  for (let rest = Buffer.from(received); rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n')
    const [line = '', ...fields] = rest.subarray(0, Math.max(end, 0)).toString().split('\r\n')
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(line) ?? []
    if (status === undefined) return
    rest = rest.subarray(end + 4)
    if (status === '100') continue
    const headers = new Map(
      fields.map((field) => {
        const at = field.indexOf(':')
        return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()] as const
      }),
    )
    const length = headers.get('content-length')
    const body = length === undefined ? undefined : rest.subarray(0, Number(length)).toString()
    yield { status: Number(status), headers, body: body === '' ? undefined : body, isWhole: true }
    if (length === undefined) return
    rest = rest.subarray(Number(length))
  }
}
