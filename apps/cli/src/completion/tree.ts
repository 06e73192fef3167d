import type { Argument, Command, Option } from 'commander'

/** What can be typed at one place of the command line: behind `sekali projection`, for instance. */
export interface Place {
  /** The words up to there. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  readonly options: readonly Choice[]
  /** Whether its operands are names of files. */
  readonly takesFiles: boolean
  /** What its operands may be, if that is a list. */
  readonly operands: readonly string[]
}

export interface Choice {
  /** `--order` and, if there is one, `-o`. */
  readonly flags: readonly string[]
  readonly summary: string
  /** What its value may be: one of these, the name of a file, something; or it has none. */
  readonly value: readonly string[] | 'file' | 'any' | undefined
}

/** All places, the root first. */
export function placesOf(program: Command): Place[] {
  const options = [...visible(program), help]
  return placesUnder(program, program.name(), options)
}

const help: Choice = { flags: ['--help', '-h'], summary: 'show what there is', value: undefined }

function placesUnder(command: Command, path: string, inherited: readonly Choice[]): Place[] {
  const place: Place = {
    path,
    commands: command.commands.map((one) => ({
      name: one.name(),
      summary: firstSentence(one.summary() || one.description()),
    })),
    options: optionsOf(command, inherited),
    takesFiles: command.registeredArguments.some((argument) => isFile(argument.name())),
    operands: command.registeredArguments.flatMap((argument: Argument) => argument.argChoices ?? []),
  }
  return [place, ...command.commands.flatMap((one) => placesUnder(one, `${path} ${one.name()}`, inherited))]
}

function optionsOf(command: Command, inherited: readonly Choice[]): readonly Choice[] {
  if (command.parent === null) return inherited
  // A program of its own, which has its own help and knows none of our options.
  const isItsOwn = !command
    .createHelp()
    .visibleOptions(command)
    .some(({ long }) => long === '--help')
  return isItsOwn ? [help] : [...visible(command), ...inherited]
}

const visible = (command: Command): Choice[] => command.options.filter(({ hidden }) => !hidden).map(choiceOf)

function choiceOf({ long, short, description, required, argChoices, flags }: Option): Choice {
  const value = required ? (argChoices ?? (isFile(/<([^>]*)>/.exec(flags)?.[1]) ? 'file' : 'any')) : undefined
  return {
    flags: [long, short].filter((flag) => flag != null),
    summary: firstSentence(description),
    value,
  }
}

const isFile = (name: string | undefined): boolean => /^files?$/.test(name ?? '')

const firstSentence = (text: string): string => text.split(/[.;:(](?:\s|$)|\s\(/, 1)[0]?.trim() ?? ''
