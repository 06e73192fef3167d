// What is published, in an empty folder, on the runtimes that people have.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ownSystem, type System } from '../../../apps/cli/test/system.ts'
import { arch, foreignEnv, ownProject, type Project } from './project.ts'

const bunArch = arch === 'arm64' ? 'aarch64' : arch
const deno = ['run', '--node-modules-dir=manual', '--allow-net', '--allow-env', '--allow-read']
/** The package that a runtime comes in, under a name of our own, and how it runs a file. */
const runtimes: [string, string, string[]][] = [
  ['node20', `npm:node-linux-${arch}@20`, ['bin/node']],
  ['node22', `npm:node-linux-${arch}@22`, ['bin/node']],
  ['node24', `npm:node-linux-${arch}@24`, ['bin/node']],
  ['bun', `npm:@oven/bun-linux-${bunArch}@1`, ['bin/bun']],
  ['deno', `npm:@deno/linux-${arch}-glibc@2`, ['deno', ...deno]],
]

let project: Project
let system: System

beforeAll(async () => {
  const installed = runtimes.map(([name, from]) => `${name}@${from}`)
  project = await ownProject([...installed, 'typescript@7', '@types/node@20'], ['service.ts', 'fold.ts'])
  // The JavaScript that all of them run: Node 20 does not strip types.
  const like = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node']
  await project.run('node_modules/.bin/tsc', '--ignoreConfig', ...like, 'service.ts', 'fold.ts')
  system = await ownSystem()
})

afterAll(async () => {
  await system?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

test.each(runtimes)(
  'a service publishes, batches, tails, resumes and reads on %s',
  async (name, _from, how) => {
    const [program = '', ...args] = how
    const child = spawn(
      `${project.path}/node_modules/${name}/${program}`,
      [...args, 'service.js', `on.${name}`],
      {
        cwd: project.path,
        env: { ...foreignEnv, SEKALI_URL: system.url },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const exited = once(child, 'exit')
    const errors = text(child.stderr)
    let output = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      output += chunk
      if (output !== 'tailing\n') continue
      await system.gateway.kill()
      await pause(200) // it is away for longer than a connection takes to break
      await system.gateway.start()
    }
    expect([...(await exited), output, await errors]).toEqual([0, null, 'tailing\ndone\n', ''])
  },
)

test.each(runtimes)(
  'a definition is folded without a server on %s',
  async (name, _from, [program = '', ...args]) => {
    expect(await project.run(`node_modules/${name}/${program}`, ...args, 'fold.js')).toBe('done\n')
  },
)
