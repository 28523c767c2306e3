import { it } from "vitest"; import { inspectDocuments } from "./inspect"; import { prose } from "../testing/prose";
it("x",async()=>{
 const docs=Array.from({length:10000},(_,i)=>({id:`${i}`,name:`n${i}`,kind:"mail" as const,text:prose(i,7)+"\n\nSent from my iPhone\n\nOn 3 May 2021 Ann <a@b.c> wrote:\n> "+prose(i-1,3).replace(/\n/g,"\n> ")}));
 console.log(docs.reduce((s,d)=>s+d.text.length,0)/1e6,"MB"); let t=performance.now(); let worst=0,last=t; const timer=setInterval(()=>{const n=performance.now();worst=Math.max(worst,n-last);last=n;},5);
 const r=await inspectDocuments(docs); clearInterval(timer); console.log("inspect ms",(performance.now()-t)|0,"longest block",worst|0,r.sentences.join(" "),r.groups.length, process.memoryUsage().rss/1e6|0);
 t=performance.now(); const one=[{id:"b",name:"b",text:prose("big",60000)}]; const r2=await inspectDocuments(one); console.log("one doc",one[0]!.text.length/1e6,"MB",(performance.now()-t)|0,r2.sentences.join(" "));
});
