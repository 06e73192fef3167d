import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { variables as ofConsumer } from '@sekali/consumer/config'
import { variables as ofDispatcher } from '@sekali/dispatcher/config'
import { variables as ofGateway } from '@sekali/gateway/config'
import { variables as ofProjector } from '@sekali/projector/config'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test, vi } from 'vitest'
import { runApp } from '../src/system/app-process.ts'
import { decidedHere, isFailpoint } from '../src/system/settings.ts'

const start = fileURLToPath(new URL('../src/start.ts', import.meta.url))
const configuration = fileURLToPath(new URL('../../../docs/operating.md', import.meta.url))
const all = new Set([...ofGateway, ...ofConsumer, ...ofProjector, ...ofDispatcher])
/**
 * Not what `npm start` decides by itself, nor the URL of a standby, which it has not, nor the key, which it gives to those that
 * need it; and not what tests give to one process.
 */
const isPassed = (name: string) =>
  !/^(DATABASE_URL|DATABASE_READ_URL|REDIS_URL|WEBHOOK_KEY)$/.test(name) &&
  !decidedHere.has(name) &&
  !isFailpoint(name)
const passed = [...all].filter(isPassed).sort()

test('npm start passes every setting of the apps on, and no secret or anything else of its environment', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const program = join(folder.path, 'program.ts')
  await writeFile(program, 'process.stdout.write(JSON.stringify(process.env))')
  const others = ['DATABASE_URL_FILE', 'REDIS_URL_FILE', 'AWS_SECRET_ACCESS_KEY', 'NODE_OPTIONS_OF_MINE']
  for (const name of [...all, ...others]) vi.stubEnv(name, 'mine')
  try {
    await runApp({ name: 'program', program, logDir: folder.path, env: { REDIS_URL: 'given' } })
  } finally {
    vi.unstubAllEnvs()
  }
  const env = JSON.parse(await readFile(join(folder.path, 'program.log'), 'utf8'))
  expect(env.REDIS_URL).toBe('given')
  const seen = Object.keys(env).filter((name) => env[name] === 'mine')
  expect(seen.sort()).toEqual(passed)
})

test('npm start decides by itself only what some app reads', () => {
  expect([...decidedHere].filter((name) => !all.has(name))).toEqual([])
})

test('npm start -- --help names them, and docs/operating.md all but failpoints', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [start, '--help'])
  expect(passed.filter((name) => !isNamed(name, stdout))).toEqual([])
  const docs = await readFile(configuration, 'utf8')
  const explained = [...all].filter((name) => !isFailpoint(name))
  expect(explained.filter((name) => !isNamed(name, docs))).toEqual([])
})

const isNamed = (name: string, text: string): boolean => new RegExp(`\\b${name}\\b`).test(text)
