const widthMax = 120

/** Text in lines that a reader reads to their end; those after the first begin with `indent`. */
export function wrapped(text: string, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > widthMax) {
      lines.push(line)
      line = indent + word
    } else line += line === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}
