/**
 * A page whose commands a test runs, README.md for instance:
 *
 * - a block ```sh is typed as it stands, and the block behind it is what it prints;
 * - in ```text the lines are compared, in ```json a line break and the blanks behind it only wrap;
 * - `…` stands for anything in a line, and alone for any number of lines;
 * - a block ```text Ctrl-C is what `npm start` prints after Ctrl-C.
 *
 * Blank lines count nothing. Rates and durations are compared by their unit alone, because they differ each time.
 */
export interface Step {
  /** Where the command, or what Ctrl-C prints, stands in the page: from 1. */
  readonly line: number
  /** Without one it is Ctrl-C. */
  readonly command?: string
  readonly output: string
}

interface Block {
  readonly line: number
  readonly info: string
  readonly body: string
}

/** Throws where a command has no output, or an output no command. */
export function stepsOf(page: string): Step[] {
  const blocks = blocksOf(page).filter(({ info }) => /^(?:sh|text|json)\b/.test(info))
  return blocks.flatMap((block, index): Step[] => {
    const next = blocks[index + 1]
    if (block.info === 'text Ctrl-C') return [{ line: block.line, output: block.body }]
    if (block.info !== 'sh') {
      if (blocks[index - 1]?.info === 'sh') return []
      throw new Error(`line ${block.line}: no command prints this`)
    }
    if (next === undefined || next.info === 'sh') throw new Error(`line ${block.line}: what does it print?`)
    const output = next.info === 'json' ? next.body.replace(/\n */g, '') : next.body
    return [{ line: block.line, command: block.body, output }]
  })
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)\n```$/gm)].map((match) => ({
    line: page.slice(0, match.index).split('\n').length + 1,
    info: match[1] ?? '',
    body: match[2] ?? '',
  }))
}

/** Whether a command printed what its page says. */
export function isPrinted(output: string, printed: string): boolean {
  const lines = linesOf(output).map((line) => (line === '…' ? '(?:.*\\n)*?' : `${patternOf(line)}\\n`))
  return new RegExp(`^${lines.join('')}$`).test(`${linesOf(printed).join('\n')}\n`)
}

const patternOf = (line: string): string => line.split('…').map(RegExp.escape).join('.*?')

function linesOf(text: string): string[] {
  return stripped(text)
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd().replace(varying, '#'))
    .filter((line) => line !== '')
}

const varying = /\d[\d.,]*(?= (?:s|ms|% of a core|events\/s|requests\/s)\b)/g

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours and a progress bar are control characters
const stripped = (text: string): string => text.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '')
