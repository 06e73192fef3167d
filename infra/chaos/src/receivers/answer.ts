// How a receiver answers, well or badly.
import type { ServerResponse } from 'node:http'
import type { Behaviour } from './plan.ts'

export interface Asked {
  readonly response: ServerResponse
  /** What it was sent, to be shown where it answers with an error, as many do. */
  readonly shown: string
  /** Where a redirect leads. */
  readonly elsewhere: string
  /** Notes the status; before it goes out. */
  note(status: number): void
}

const seconds = '1'

export const answers: Readonly<Record<Behaviour, (asked: Asked) => void>> = {
  ok: (asked) => end(asked, 200, {}, 'noted'),
  error: (asked) => end(asked, 500, {}, `this came: ${asked.shown}`),
  busy: (asked) => end(asked, 429, { 'retry-after': seconds }, 'later'),
  gone: (asked) => end(asked, 410, {}, 'gone'),
  redirect: (asked) => end(asked, 307, { location: asked.elsewhere }, ''),
  hang: () => undefined,
  cut: ({ response }) => response.socket?.destroy(),
  garbage: ({ response }) => response.socket?.end('this is no HTTP\r\n\r\n'),
  half(asked) {
    asked.note(200)
    asked.response.writeHead(200, { 'content-length': '100' }).write('half')
  },
  endless(asked) {
    asked.note(200)
    asked.response.writeHead(200)
    flood(asked.response)
  },
}

function end({ response, note }: Asked, status: number, headers: Record<string, string>, body: string): void {
  note(status)
  response.writeHead(status, headers).end(body)
}

const piece = 'without end '.repeat(1_000)

function flood(response: ServerResponse): void {
  while (!response.destroyed && response.write(piece));
  if (!response.destroyed) response.once('drain', () => flood(response))
}
