import { Argument, type Command } from 'commander'
import { type Shell, scriptFor, shells } from '../completion/shells.ts'
import { placesOf } from '../completion/tree.ts'
import { localAction, type Surroundings } from '../context.ts'

export function addCompletion(program: Command, surroundings: Surroundings): void {
  program
    .command('completion')
    .summary('a script with which a shell completes this command')
    .description('Writes a script that completes commands, options and their values when Tab is pressed.')
    .addArgument(new Argument('<shell>', 'whose script').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  $ sekali completion bash > ~/.local/share/bash-completion/completions/sekali
  $ sekali completion zsh > ~/.zfunc/_sekali      in a folder of $fpath
  $ sekali completion fish > ~/.config/fish/completions/sekali.fish
`,
    )
    .action(
      localAction(surroundings, async ({ out }, [shell]) => {
        await out.write(scriptFor[shell as Shell](placesOf(program)))
        return undefined
      }),
    )
}
