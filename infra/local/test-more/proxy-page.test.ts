/** docs/guides/behind-a-proxy.md, typed as it stands, in a place of its own in which nginx runs as Debian's does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from '../src/command/repository.ts'
import { isPrinted, type Step, stepsOf } from '../test/page/page.ts'
import { startService } from '../test/start.ts'

beforeAll(() => requireDebian('nginx', 'curl', 'openssl'))

const page = 'docs/guides/behind-a-proxy.md'

/** nginx as it is after its installation, without a site, on the files of `etc`; and the commands `nginx` and `sudo`. */
async function ownMachine(folder: string) {
  const etc = join(folder, 'etc')
  const bin = join(folder, 'bin')
  for (const name of ['etc/nginx/conf.d', 'etc/ssl', 'bin'])
    await mkdir(join(folder, name), { recursive: true })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  await writeFile(
    join(etc, 'nginx/nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''} pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {}
    http { access_log off; ${temporary.join(' ')} include ${etc}/nginx/conf.d/*.conf; }`,
  )
  const command = async (name: string, line: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`)
    await chmod(join(bin, name), 0o755)
  }
  const own = `-p ${folder} -e ${folder}/error.log -c ${etc}/nginx/nginx.conf`
  await command('nginx', `exec /usr/sbin/nginx ${own} "$@"`)
  await command('sudo', 'exec "$@"')
  const nginx = spawn(join(bin, 'nginx'), ['-g', 'daemon off;'], { stdio: 'ignore' })
  const exited = once(nginx, 'exit')
  await eventually(() => readFile(join(folder, 'nginx.pid')))
  return {
    etc,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    [Symbol.asyncDispose]: async () => {
      nginx.kill('SIGKILL')
      await exited
    },
  }
}

/** The copy of a site that `cp` makes, with this test's port and files in it: nothing else is changed. */
async function ownRepository(folder: string, inPlace: (text: string) => string): Promise<string> {
  const root = join(folder, 'clone')
  await mkdir(join(root, 'infra/proxies'), { recursive: true })
  for (const file of ['infra/proxies/nginx.conf', page]) {
    await mkdir(join(root, file, '..'), { recursive: true })
    await writeFile(join(root, file), inPlace(await readFile(join(repositoryRoot, file), 'utf8')))
  }
  return root
}

test('the commands of the guide lead from a gateway on loopback to one behind nginx with TLS', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using machine = await ownMachine(folder.path)
  const [first, ...steps] = stepsOf(await readFile(join(repositoryRoot, page), 'utf8'))
  const [settings = '', command] = /^(.*) (npm start)$/.exec(first?.command ?? '')?.slice(1) ?? []
  expect(command).toBe('npm start')
  const env = Object.fromEntries(settings.split(' ').map((one) => one.split('=')))
  // Whoever types this is at a terminal, where the key is printed without being asked for.
  const args = ['--consumers', '1', '--print-first-key']
  await using service = await startService(join(folder.path, 'data'), args, env)
  await service.ready()

  const port = String(await freePort())
  const inPlace = (text: string) =>
    text
      .replaceAll('/etc/', `${machine.etc}/`)
      .replaceAll('127.0.0.1:8080', new URL(service.url).host)
      .replaceAll('listen 443', `listen 127.0.0.1:${port}`)
      .replaceAll('events.example.com:443:', `events.example.com:${port}:`)
      .replaceAll('https://events.example.com/', `https://events.example.com:${port}/`)
  const cwd = await ownRepository(folder.path, inPlace)
  const compare = ({ line }: Step, printed: string, output: string) => {
    if (!isPrinted(output, printed))
      expect.fail(`${page}:${line} prints\n\n${printed}\n\nand not\n\n${output}`)
  }
  await eventually(async () => first && compare(first, service.said(), inPlace(first.output)))
  const [key = ''] = service.said().match(/^sekali_\w+$/m) ?? []
  expect(key).not.toBe('')
  expect(steps.length).toBe(3)
  for (const step of steps) {
    const type = async () => {
      const shell = spawn('bash', ['-c', `exec 2>&1; ${inPlace(step.command ?? '')}`], {
        cwd,
        env: { ...machine.env, SEKALI_TOKEN: key },
      })
      compare(step, await text(shell.stdout), inPlace(step.output))
    }
    // A reload is over some time after its command.
    if (step === steps.at(-1)) await eventually(type)
    else await type()
  }
})
