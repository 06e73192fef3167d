import { expect, test } from 'vitest'
import { createProgram } from '../src/program.ts'
import { createForce } from '../src/terminal/force.ts'
import { startShell } from './command.ts'

/** What bash offers behind a line that ends at the cursor, with its own words for it. */
async function offered(line: string): Promise<string[]> {
  const words = line.split(' ').map((word) => `'${word}'`)
  const ask = `source <(sekali completion bash) && COMP_WORDS=(${words.join(' ')}) && COMP_CWORD=${words.length - 1} &&
    _sekali && printf '%s\\n' "\${COMPREPLY[@]}"`
  await using shell = startShell(ask)
  const { code, out, err } = await shell.ended
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out.split('\n').filter(Boolean)
}

test('bash completes commands, commands of commands, options and their values', async () => {
  expect(await offered('sekali rep')).toEqual(['replay'])
  expect(await offered('sekali projection re')).toEqual(['rebuild'])
  expect(await offered('sekali --url http://x projection l')).toEqual(['list'])
  expect(await offered('sekali replay orders --or')).toEqual(['--order'])
  expect(await offered('sekali replay orders --order ')).toEqual(['asc', 'desc'])
  expect(await offered('sekali replay orders --order d')).toEqual(['desc'])
  expect(await offered('sekali stats --js')).toEqual(['--json'])
  expect(await offered('sekali completion ')).toEqual(['bash', 'zsh', 'fish'])
  expect(await offered('sekali --profile stats pu')).toEqual(['publish']) // a value is no command
  expect(await offered('sekali replay ')).toEqual([])
  expect(await offered('sekali start --')).toEqual(['--help']) // a program of its own: ours are none of its options
  expect(await offered('sekali stats --token-file /etc/passw')).toContain('/etc/passwd')
})

test('every command is offered', async () => {
  const out = { write: async () => {}, line: async () => {}, watch: () => new DisposableStack() }
  const names = createProgram({
    out,
    signal: AbortSignal.abort(),
    force: createForce(() => undefined),
  }).commands.map((command) => command.name())
  expect(await offered('sekali ')).toEqual(names)
})

test('a short option means the same wherever it is', () => {
  const out = { write: async () => {}, line: async () => {}, watch: () => new DisposableStack() }
  const program = createProgram({ out, signal: AbortSignal.abort(), force: createForce(() => undefined) })
  const all = [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]
  const meanings = Map.groupBy(
    all.flatMap(({ options }) => options).filter(({ short }) => short != null),
    ({ short }) => short,
  )
  const longs = new Map(
    [...meanings].map(([short, options]) => [short, new Set(options.map(({ long }) => long))]),
  )
  expect([...longs].filter(([, ofIt]) => ofIt.size > 1)).toEqual([
    ['-n', new Set(['--limit', '--count'])], // how many, in both
  ])
  expect([...longs.keys()].sort().join('')).toBe('-H-V-a-b-c-e-f-i-j-k-l-n-o-p-r-s-t-u-v-w-y')
})

test('an unknown shell is a usage error', async () => {
  await using shell = startShell('sekali completion tcsh')
  expect(await shell.ended).toMatchObject({ code: 2, err: expect.stringMatching(/bash, zsh, fish/) })
})
