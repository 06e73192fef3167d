import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { requireDebian } from '@sekali/testkit/debian'
import { ownFolder } from '@sekali/testkit/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startShell } from '../test/command.ts'

let folder: Awaited<ReturnType<typeof ownFolder>>
const scripts = { zsh: '', fish: '' }
beforeAll(async () => {
  await requireDebian('zsh', 'fish')
  folder = await ownFolder()
  for (const shell of ['zsh', 'fish'] as const) {
    await using command = startShell(`sekali completion ${shell}`)
    scripts[shell] = join(folder.path, `sekali.${shell}`)
    await writeFile(scripts[shell], (await command.ended).out)
  }
})
afterAll(() => folder[Symbol.asyncDispose]())

const cases: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['sekali rep', ['replay']],
  ['sekali projection re', ['rebuild']],
  ['sekali --url http://x projection l', ['list']],
  ['sekali replay orders --order ', ['asc', 'desc']],
  ['sekali --profile stats pu', ['publish']],
  ['sekali completion ', ['bash', 'fish', 'zsh']],
  ['sekali stats --js', ['--json']],
]

async function output(command: string, args: readonly string[]): Promise<string[]> {
  const env = { PATH: process.env.PATH, HOME: folder.path }
  const { stdout, stderr } = await promisify(execFile)(command, args, { env })
  expect(stderr).toBe('')
  return stdout.split('\n').filter(Boolean)
}

test.each(cases)('fish completes %j', async (line, offered) => {
  const found = await output('fish', ['--no-config', '-c', `source ${scripts.fish}; complete -C '${line}'`])
  expect(found.map((text) => text.split('\t')[0]).sort()).toEqual(offered)
})

// zsh completes at a terminal only: compadd, which shows what fits, and compdef are replaced.
test.each(cases)('zsh completes %j', async (line, offered) => {
  const words = line.split(' ').map((word) => `'${word}'`)
  const script = `compdef() { :; }; _files() { print -r -- FILES; }
    compadd() { local word; for word in "$@[2,-1]"; do [[ $word == "$words[CURRENT]"* ]] && print -r -- $word; done; true; }
    source ${scripts.zsh}; words=(${words.join(' ')}); CURRENT=${words.length}; _sekali`
  expect((await output('zsh', ['-f', '-c', script])).sort()).toEqual(offered)
})
