/** The tools of others take the description: redocly finds nothing to say, openapi-typescript makes types that compile. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDocument } from '../src/openapi/document.ts'

/**
 * In a folder of their own: openapi-typescript works with TypeScript 5 alone, and together they are 60 MB that only this
 * test needs.
 */
const packages = ['@redocly/cli@2.77.0', 'openapi-typescript@7.13.0', 'typescript@5.9.3']

/** What whoever generates a client can write: the types know what comes, and refuse what is not described. */
const client = `import type { components, operations, paths } from './schema.d.ts'

type StoredEvent = components['schemas']['StoredEvent']
type Page = operations['readEvents']['responses'][200]['content']['application/json']
type Query = NonNullable<paths['/events']['get']['parameters']['query']>
type Refused = operations['publish']['responses'][422]['content']['application/problem+json']
type Scoped = paths['/projections/{name}/rebuild']['post']['responses'][202]['headers']['Location']

export const seqsOf = (page: Page): number[] => page.map(({ seq }: StoredEvent) => seq)
export const query: Query = { topic: 'orders.>', order: 'asc', limit: 10 }
export const location: Scoped = '../orders'

export function explain({ code, errors = [] }: Refused): string {
  // @ts-expect-error: no answer of this route has this code
  if (code === 'topic_in_use') return ''
  return \`\${code}: \${errors.map(({ path, message }) => \`\${path} \${message}\`).join(', ')}\`
}

// @ts-expect-error: there is no such order
export const wrong: Query = { order: 'up' }
`

let folder: Awaited<ReturnType<typeof temporaryFolder>>

/** Runs a program there, with what it says. Rejects if it fails. */
async function run(program: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', NODE_OPTIONS: '' }
  const { stdout, stderr } = await promisify(execFile)(program, args, {
    cwd: folder.path,
    env,
    maxBuffer: 2 ** 24,
  })
  return stdout + stderr
}

const bin = (name: string) => join(folder.path, 'node_modules/.bin', name)

beforeAll(async () => {
  folder = await temporaryFolder('sekali-openapi-')
  await writeFile(join(folder.path, 'package.json'), '{"private":true,"type":"module"}')
  await run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...packages)
  await writeFile(join(folder.path, 'openapi.json'), JSON.stringify(createDocument('1.2.3')))
})
afterAll(() => folder?.[Symbol.asyncDispose]())

test('redocly finds neither errors nor anything to warn of', async () => {
  const said = await run(bin('redocly'), 'lint', 'openapi.json')
  expect(said).toContain('Your API description is valid')
  expect(said).not.toMatch(/\d+ (?:warning|error)s?/)
})

test('redocly would find what is wrong', async () => {
  const { info, ...document } = createDocument('1.2.3')
  await writeFile(
    join(folder.path, 'bad.json'),
    JSON.stringify({ ...document, info: { ...info, version: undefined } }),
  )
  await expect(run(bin('redocly'), 'lint', 'bad.json')).rejects.toThrow()
})

test('openapi-typescript makes a client of it that compiles, and that refuses what is not described', async () => {
  await run(bin('openapi-typescript'), 'openapi.json', '--output', 'schema.d.ts')
  await writeFile(join(folder.path, 'client.ts'), client)
  expect(await readFile(join(folder.path, 'schema.d.ts'), 'utf8')).toContain('StoredEvent')
  const strict = ['--strict', '--module', 'nodenext', '--target', 'esnext', '--exactOptionalPropertyTypes']
  await run(bin('tsc'), '--noEmit', '--allowImportingTsExtensions', ...strict, 'client.ts')
})
