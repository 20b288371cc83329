import { execFileSync } from 'node:child_process';
const root='/work/main';
const stub=`const id=require.resolve('${root}/js/native-addon.js'); require.cache[id]={id,filename:id,loaded:true,exports:{createNativeCluster:()=>({submit(){}})}};`;
const runs={
 bare:['', false], 
 'redis cjs':["const{createCluster}=require('redis');createCluster({rootNodes:[{url:'redis://localhost:7000'}]})",false],
 'ours cjs':[stub+`const{createCluster}=require('${root}');createCluster({rootNodes:[{url:'redis://localhost:7000'}]})`,false],
 'bare esm':['import {createRequire} from "node:module"; const require=createRequire(import.meta.url)',true],
 'redis esm':["import {createRequire} from 'node:module'; import{createCluster}from'redis';createCluster({rootNodes:[{url:'redis://localhost:7000'}]})",true],
 'ours esm':[`import {createRequire} from "node:module"; const require=createRequire(import.meta.url);${stub} const {createCluster}=await import('${root}/index.js');createCluster({rootNodes:[{url:'redis://localhost:7000'}]})`,true],
};
const t={};
for(let r=0;r<9;r++) for (const [k,[c,esm]] of Object.entries(runs)) { const s=process.hrtime.bigint(); execFileSync(process.execPath, esm?['--input-type=module','-e',c]:['-e',c]); (t[k]??=[]).push(Number(process.hrtime.bigint()-s)/1e6); }
for (const [k,v] of Object.entries(t)) console.log(k, v.sort((a,b)=>a-b)[4].toFixed(1));
