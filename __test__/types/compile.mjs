// Compiles type tests under one module resolution and prints what TypeScript says, as JSON.
//
//   node compile.mjs '{"module":"node16","esModuleInterop":false,"files":{"a.ts":"text"}}'
//
// A program of its own, because checking node-redis's types takes more than 1 GB, which is given
// back when the process ends. The files exist in memory only, as if they were in this folder.
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

const { module, esModuleInterop, files } = JSON.parse(process.argv[2]);

const { options, errors } = ts.convertCompilerOptionsFromJson(
  {
    strict: true,
    noUncheckedIndexedAccess: true,
    // Without default imports node-redis's own declarations have errors (it imports 'node:net' so).
    skipLibCheck: !esModuleInterop,
    noEmit: true,
    target: 'es2022',
    module: module === 'bundler' ? 'esnext' : module,
    moduleResolution: module,
    esModuleInterop,
    types: ['node'],
    // The name a user imports; the declarations are found as the package's own `types` says.
    paths: { 'redis-cluster-native': ['./index.d.ts'] },
  },
  root,
);

const texts = new Map(Object.entries(files).map(([name, text]) => [join(here, name), text]));
const host = ts.createCompilerHost(options);
const { fileExists, readFile } = host;
host.fileExists = (path) => texts.has(path) || fileExists(path);
host.readFile = (path) => texts.get(path) ?? readFile(path);

const program = ts.createProgram({ rootNames: [...texts.keys()], options, host });
const diagnostics = [...errors, ...ts.getPreEmitDiagnostics(program)].map((diagnostic) => ({
  file: diagnostic.file ? basename(diagnostic.file.fileName) : '(options)',
  line: diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start).line + 1,
  code: `TS${diagnostic.code}`,
  text: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n').slice(0, 1000),
}));

process.stdout.write(
  JSON.stringify({ diagnostics, checked: program.getSourceFiles().map((file) => file.fileName) }),
);
