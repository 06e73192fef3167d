/** nginx and Caddy as Debian has them, with the files of infra/proxies; only places and certificate are a test's own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { freePort } from '@sekali/servers/free-port'
import { startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownPrefix, ownStore } from '@sekali/testkit/own'
import { ownFolder } from '@sekali/testkit/servers'
import { inject } from 'vitest'
import { createAuthority } from './certificates.ts'

export const proxies = ['nginx', 'caddy'] as const
export type ProxyName = (typeof proxies)[number]

/** What the files call the gateway's machine. */
export const publicName = 'events.example.com'

const fileOf = { nginx: 'nginx.conf', caddy: 'Caddyfile' } as const

interface Place {
  readonly folder: string
  readonly port: number
}

const nginxMain = (folder: string) => `
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
daemon off;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  include ${folder}/site;
}
`

/** Where it listens, and what of its program is not for a test: its administration, and port 80. */
const ways = {
  nginx: {
    listen: (site: string, { port }: Place) =>
      replace(site, 'listen 443 ssl', `listen 127.0.0.1:${port} ssl`),
    main: ({ folder }: Place) => nginxMain(folder),
    command: (folder: string) => [
      '/usr/sbin/nginx',
      '-p',
      folder,
      '-e',
      `${folder}/error.log`,
      '-c',
      `${folder}/main`,
    ],
  },
  caddy: {
    listen: (site: string, { port }: Place) =>
      replace(site, `\n${publicName} {`, `\n${publicName}:${port} {`),
    main: ({ folder }: Place) =>
      `{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n\tlog {\n\t\tlevel ERROR\n\t}\n}\nimport ${folder}/site\n`,
    command: (folder: string) => [
      '/usr/bin/caddy',
      'run',
      '--adapter',
      'caddyfile',
      '--config',
      `${folder}/main`,
    ],
  },
} as const

/** Throws when it is not there, so that the files of infra/proxies cannot drift from this. */
function replace(site: string, from: string, to: string): string {
  if (!site.includes(from)) throw new Error(`the file in infra/proxies has no ${from}`)
  return site.replaceAll(from, to)
}

/** Starts it in front of `upstream`, `host:port`. `change` may change its file first. */
export async function startProxy(name: ProxyName, upstream: string, change = (site: string) => site) {
  const stack = new AsyncDisposableStack()
  const { path: folder } = stack.use(await ownFolder())
  const authority = createAuthority(folder)
  const certificate = authority.sign('site', `DNS:${publicName},DNS:localhost`)
  const place = { folder, port: await freePort() }
  const way = ways[name]
  const path = fileURLToPath(new URL(`../../../infra/proxies/${fileOf[name]}`, import.meta.url))
  let site = way.listen(await readFile(path, 'utf8'), place)
  site = replace(site, '127.0.0.1:8080', upstream)
  site = replace(site, `/etc/ssl/${publicName}.pem`, certificate.cert)
  site = replace(site, `/etc/ssl/${publicName}.key`, certificate.key)
  await writeFile(join(folder, 'site'), change(site))
  await writeFile(join(folder, 'main'), way.main(place))
  await mkdir(join(folder, 'home'))
  const [command = '', ...args] = way.command(folder)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: join(folder, 'home'),
    XDG_DATA_HOME: join(folder, 'home'),
  }
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const said = text(child.stderr) // Caddy says much
  const exited = once(child, 'exit')
  stack.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const ended = async () => {
    await exited
    throw new Error(`${name} does not run: ${await said}`)
  }
  await Promise.race([eventually(() => knock(place.port)), ended()])
  return {
    port: place.port,
    ca: authority.ca,
    /** Asks as a client at `from`, an address of this machine, does. Resolves when the answer begins. */
    open: (ask: Ask) => open(place.port, authority.ca, ask),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function knock(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect').finally(() => socket.destroy())
}

export interface Ask {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Readable
  readonly from?: string
}

async function open(port: number, caFile: string, { path, method = 'GET', headers = {}, body, from }: Ask) {
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    ca: await readFile(caFile),
    servername: publicName,
    agent: false,
    headers: { Host: publicName, ...headers },
    ...(from === undefined ? {} : { localAddress: from }),
  })
  if (body === undefined || typeof body === 'string') asked.end(body)
  else body.pipe(asked)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, response, text: () => text(response) }
}

/** A gateway on a store of its own, told what docs/guides/behind-a-proxy.md says, and the proxy before it. */
export async function behind(
  name: ProxyName,
  more: Readonly<Record<string, string>> = {},
  change?: (site: string) => string,
) {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await ownStore())
  const env = {
    REDIS_URL: inject('redisUrl'),
    DATABASE_URL: store.url,
    REDIS_PREFIX: ownPrefix(),
    HOSTS: publicName,
    TRUSTED_PROXIES: '127.0.0.1',
    LOG_LEVEL: 'warn',
    ...more,
  }
  const gateway = stack.use(await startGateway(env))
  const proxy = stack.use(await startProxy(name, new URL(gateway.url).host, change))
  const parts = stack.move()
  return { store, env, gateway, ...proxy, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}
