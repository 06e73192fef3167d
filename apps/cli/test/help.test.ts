import { routes } from '@sekali/api/routes'
import { nameOf } from '@sekali/api/words'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { createProgram } from '../src/program.ts'

/** Commands that ask no gateway. */
const local = ['profile', 'completion', 'start', 'demo', 'backup', 'restore', 'check', 'verify']

function* commandsOf(command: Command): Generator<Command> {
  if (local.includes(command.name())) return
  if (command.commands.length === 0) yield command
  for (const one of command.commands) yield* commandsOf(one)
}

function helpOf(command: Command): string {
  let text = ''
  const writeOut = (piece: string) => {
    text += piece
  }
  command.configureOutput({ writeOut }).outputHelp()
  return text
}

const surroundings = {
  out: { line: async () => undefined, write: async () => undefined },
  signal: new AbortController().signal,
} as unknown as Parameters<typeof createProgram>[0]

test('the help of every command that asks a gateway names its route, and the scope that a key needs', () => {
  const commands = [...commandsOf(createProgram(surroundings))]
  const sentences = new Set(
    routes.map((route) => `Calls ${nameOf(route)}; a key needs the scope ${route.scope}.`),
  )
  expect(commands.length).toBeGreaterThan(10)
  for (const command of commands) {
    const [calls] = /^Calls .*$/m.exec(helpOf(command)) ?? []
    expect([command.name(), sentences.has(calls ?? '')]).toEqual([command.name(), true])
  }
})
