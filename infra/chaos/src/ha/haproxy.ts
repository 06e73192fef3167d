import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@sekali/servers/free-port'

const defaults = [
  'defaults',
  '  timeout connect 1s',
  '  timeout client 1h',
  '  timeout server 1h',
  '  timeout check 2s', // on a busy machine an answer may take its time
  '  default-server inter 300ms fall 2 rise 1',
]

export interface HaProxy extends AsyncDisposable {
  readonly port: number
}

/** An HAProxy that listens on a free port; `lines` say what is behind it. */
export async function startHaProxy(dir: string, name: string, lines: readonly string[]): Promise<HaProxy> {
  const port = await freePort()
  const file = join(dir, `${name}.cfg`)
  const frontend = [`listen ${name}`, `  bind 127.0.0.1:${port}`, ...lines.map((line) => `  ${line}`)]
  await writeFile(file, `${[...defaults, ...frontend].join('\n')}\n`)
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** A gateway that dies in the middle of a request leaves it without an answer: HAProxy says 502, and here 503 as we do. */
const noAnswer = ['HTTP/1.1 503 Service Unavailable', 'content-length: 0', 'connection: close', '', ''].join(
  '\r\n',
)

/** In front of gateways, which it asks for their health. It repeats no request that a gateway may have seen. */
export async function startEdge(dir: string, ports: readonly number[]): Promise<HaProxy> {
  const file = join(dir, 'no-answer.http')
  await writeFile(file, noAnswer)
  return await startHaProxy(dir, 'gateways', [
    'mode http',
    'balance roundrobin',
    'option httpchk',
    'http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host 127.0.0.1',
    'http-check expect status 200',
    'option redispatch 1',
    `errorfile 502 ${file}`,
    ...ports.map((port) => `server gateway-${port} 127.0.0.1:${port} check on-marked-down shutdown-sessions`),
  ])
}
