/** What `npm start` and the demo do about the console of a clone. */
import { appendFile, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../src/command/repository.ts'
import { ensureConsole } from '../src/console/build.ts'

/** The console as it is cloned: its sources, and the packages that are installed. */
async function cloneOfConsole() {
  const folder = await temporaryFolder('sekali-clone-')
  for (const path of ['apps/console', 'packages/core/src', 'package-lock.json']) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true })
    await cp(join(repositoryRoot, path), join(folder.path, path), {
      recursive: true,
      filter: (file) => !/\/apps\/console\/(dist|node_modules|test|test-more)$/.test(file),
    })
  }
  await symlink(join(repositoryRoot, 'node_modules'), join(folder.path, 'node_modules'))
  const said: string[] = []
  return {
    path: (name: string) => join(folder.path, name),
    ensure: async () => {
      said.splice(0)
      await ensureConsole(folder.path, (part, what) => said.push(`${part} ${what}`))
      return [...said]
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const built = ['console is being built, as its sources are new', 'console is built']

test('the console is built once, and again when its sources have changed or it is gone', async () => {
  await using clone = await cloneOfConsole()
  const page = async () => await readFile(clone.path('apps/console/dist/index.html'), 'utf8')
  expect(await clone.ensure()).toEqual(built)
  const first = await page()
  expect(await clone.ensure()).toEqual([])
  await appendFile(clone.path('apps/console/src/main.tsx'), '\nwindow.name = "changed"\n')
  expect(await clone.ensure()).toEqual(built)
  expect(await page()).not.toBe(first) // other content, other names
  await appendFile(clone.path('packages/core/src/limits.ts'), '\n') // of which it has a part in it
  expect(await clone.ensure()).toEqual(built)
  await rm(clone.path('apps/console/dist'), { recursive: true })
  expect(await clone.ensure()).toEqual(built)
})

test('a console that cannot be built ends nothing: the reason is said, and it is tried again', async () => {
  await using clone = await cloneOfConsole()
  const source = await readFile(clone.path('apps/console/src/main.tsx'), 'utf8')
  await writeFile(clone.path('apps/console/src/main.tsx'), 'import "./nowhere.ts"\n')
  for (let time = 1; time <= 2; time++) {
    const [, what] = await clone.ensure()
    expect(what).toMatch(/^console is not built, and all else runs: .*Could not resolve "\.\/nowhere\.ts"/)
  }
  await writeFile(clone.path('apps/console/src/main.tsx'), source)
  expect(await clone.ensure()).toEqual(built)
})
