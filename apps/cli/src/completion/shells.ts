/**
 * Scripts that complete the command line in a shell. They are made of the commands and options that there are, and ask
 * nobody: a completion must be there before the finger has left the key.
 */
import type { Choice, Place } from './tree.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export const scriptFor: Readonly<Record<Shell, (places: readonly Place[]) => string>> = { bash, zsh, fish }

/**
 * What bash and zsh share: `place` is the path of the commands that were typed, `option` the one whose value is wanted, and
 * then `fits` has the words that fit, and `files` is set where files do. The words before the cursor are $1, $2, …
 */
const findWords = (places: readonly Place[]): string => `  local place=sekali option= fits= files= word
  while [ $# -gt 0 ]; do
    word=$1
    shift
    case "$place $word" in
      ${alternatives(places.flatMap(flagsWithValue))})
        if [ $# -eq 0 ]; then option="$place $word"; else shift; fi ;;
      ${alternatives(places.slice(1).map(({ path }) => path))}) place="$place $word" ;;
    esac
  done
  case "$option" in
    '')
      case "$place" in
${places.map(wordsAt).join('\n')}
      esac ;;
${places.flatMap(valuesAt).join('\n')}
  esac`

const alternatives = (texts: readonly string[]): string => texts.map(quoted).join('|')
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const flagsWithValue = ({ path, options }: Place): string[] =>
  options
    .filter(({ value }) => value !== undefined)
    .flatMap(({ flags }) => flags.map((flag) => `${path} ${flag}`))

function wordsAt({ path, commands, operands, options, takesFiles }: Place): string {
  const words = [...commands.map(({ name }) => name), ...operands].join(' ')
  const flags = options.flatMap((option) => option.flags).join(' ')
  const others = `fits=${quoted(words)}${takesFiles ? '; files=yes' : ''}`
  return `        ${quoted(path)}) case "$current" in -*) fits=${quoted(flags)} ;; *) ${others} ;; esac ;;`
}

const valuesAt = ({ path, options }: Place): string[] =>
  options.flatMap(({ flags, value }) => {
    if (value === undefined || value === 'any') return []
    const found = value === 'file' ? 'files=yes' : `fits=${quoted(value.join(' '))}`
    return [`    ${alternatives(flags.map((flag) => `${path} ${flag}`))}) ${found} ;;`]
  })

function bash(places: readonly Place[]): string {
  return `# Completion of sekali for bash: source <(sekali completion bash)
_sekali_words() {
${findWords(places)}
  COMPREPLY=($(compgen -W "$fits" -- "$current"))
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  fi
}
_sekali() {
  local current=\${COMP_WORDS[COMP_CWORD]}
  _sekali_words "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
}
complete -F _sekali sekali
`
}

function zsh(places: readonly Place[]): string {
  return `#compdef sekali
# Completion of sekali for zsh: source <(sekali completion zsh), or a file _sekali in a folder of $fpath.
_sekali_words() {
${findWords(places)}
  [ -z "$fits" ] || compadd -- \${=fits}
  [ -z "$files" ] || _files
}
_sekali() {
  local current=\${words[CURRENT]}
  local -a before
  before=("\${(@)words[2,CURRENT-1]}")
  [ $CURRENT -gt 2 ] || before=()
  _sekali_words "\${before[@]}"
}
if [ "\${funcstack[1]}" = _sekali ]; then _sekali "$@"; else compdef _sekali sekali; fi
`
}

function fish(places: readonly Place[]): string {
  return `# Completion of sekali for fish: sekali completion fish | source
function __sekali_place
    set -l place sekali
    set -l skip no
    for token in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
            continue
        end
        switch "$place $token"
            case ${places.flatMap(flagsWithValue).map(fishQuoted).join(' ')}
                set skip yes
            case ${places
              .slice(1)
              .map(({ path }) => fishQuoted(path))
              .join(' ')}
                set place "$place $token"
        end
    end
    echo $place
end
complete -c sekali -e
complete -c sekali -f
${places.flatMap(fishAt).join('\n')}
`
}

function fishAt({ path, commands, operands, options, takesFiles }: Place): string[] {
  const at = `complete -c sekali -n ${fishQuoted(`test (__sekali_place) = "${path}"`)}`
  return [
    ...commands.map(({ name, summary }) => `${at} -a ${name} -d ${fishQuoted(summary)}`),
    ...operands.map((operand) => `${at} -a ${operand}`),
    ...(takesFiles ? [`${at} -F`] : []),
    ...options.map((option) => `${at} ${fishOption(option)}`),
  ]
}

function fishOption({ flags, summary, value }: Choice): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const values =
    value === 'file' ? ' -r -F' : value === 'any' ? ' -x' : value && ` -x -a ${fishQuoted(value.join(' '))}`
  return `${names.join(' ')}${values ?? ''} -d ${fishQuoted(summary)}`
}

const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
