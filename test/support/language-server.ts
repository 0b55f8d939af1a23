// Red Hat's yaml-language-server, the one behind the YAML extensions of VS Code, Neovim and others, driven over LSP.
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';

export interface Position {
  line: number;
  character: number;
}

export interface Diagnostic {
  range: { start: Position; end: Position };
  message: string;
}

interface Completion {
  label: string;
  documentation?: string | { value: string };
}

const SETTINGS = { yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false } } };

export class LanguageServer {
  readonly #diagnostics = new Map<string, Diagnostic[]>();
  readonly #waiting = new Map<string, (diagnostics: Diagnostic[]) => void>();

  private constructor(
    readonly process: ChildProcess,
    readonly connection: MessageConnection,
  ) {
    connection.onNotification(
      'textDocument/publishDiagnostics',
      (params: { uri: string; diagnostics: Diagnostic[] }) => {
        this.#diagnostics.set(params.uri, params.diagnostics);
        this.#waiting.get(params.uri)?.(params.diagnostics);
        this.#waiting.delete(params.uri);
      },
    );
    connection.onRequest('workspace/configuration', ({ items }: { items: { section?: string }[] }) =>
      items.map(({ section }) => (SETTINGS as Record<string, unknown>)[section ?? ''] ?? null),
    );
    connection.onRequest('client/registerCapability', () => null);
    connection.listen();
  }

  static async start(): Promise<LanguageServer> {
    const server = createRequire(import.meta.url).resolve('yaml-language-server/bin/yaml-language-server');
    const child = spawn(process.execPath, [server, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const started = new LanguageServer(child, connection);
    await connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        workspace: { configuration: true },
        textDocument: {
          completion: { completionItem: { documentationFormat: ['markdown'] } },
          hover: { contentFormat: ['markdown'] },
        },
      },
    });
    await connection.sendNotification('initialized', {});
    await connection.sendNotification('workspace/didChangeConfiguration', { settings: SETTINGS });
    return started;
  }

  /** Opens a document and waits for what the server finds wrong with it. */
  open(file: string, text: string): Promise<Diagnostic[]> {
    const uri = pathToFileURL(file).href;
    const answer = new Promise<Diagnostic[]>((resolve) => this.#waiting.set(uri, resolve));
    void this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'yaml', version: 1, text },
    });
    return answer;
  }

  /** Labels that are offered at a position, with their documentation. */
  async complete(file: string, position: Position): Promise<Map<string, string>> {
    const answer = await this.connection.sendRequest<{ items: Completion[] } | Completion[]>(
      'textDocument/completion',
      { textDocument: { uri: pathToFileURL(file).href }, position },
    );
    const items = Array.isArray(answer) ? answer : answer.items;
    return new Map(
      items.map(({ label, documentation }) => [
        label,
        typeof documentation === 'object' ? documentation.value : (documentation ?? ''),
      ]),
    );
  }

  async hover(file: string, position: Position): Promise<string> {
    const answer = await this.connection.sendRequest<{ contents: { value: string } } | null>(
      'textDocument/hover',
      {
        textDocument: { uri: pathToFileURL(file).href },
        position,
      },
    );
    return answer?.contents.value ?? '';
  }

  async stop(): Promise<void> {
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    this.connection.dispose();
    this.process.kill();
  }
}
